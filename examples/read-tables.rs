fn main() {
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path).unwrap();
        match hsdiag::protocol::Table::read(&path, &text) {
            Ok((table, warnings)) => {
                println!("{path}: ok, {} frames, {} vectors", table.frames.len(), table.vectors.len());
                for w in warnings {
                    println!("{w:?}");
                }
            }
            Err(mistakes) => println!("{path}:\n{mistakes}"),
        }
    }
}
