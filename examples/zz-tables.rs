fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap();
        let now = std::time::Instant::now();
        match hsdiag::protocol::Table::read(&path, &text) {
            Ok((t, w)) => {
                println!("OK {} {:?}", t.name, now.elapsed());
                for w in w {
                    println!("   {w}");
                }
            }
            Err(e) => println!("BAD {path}\n{e}"),
        }
    }
}
