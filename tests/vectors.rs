//! Every vector of every shipped table: its bytes are the frames it names, with the fields it states, and encode to the same bytes;
//! what is marked wrong is refused.

#[path = "support/replay.rs"]
mod replay;
#[path = "support/shipped.rs"]
mod shipped;

use replay::{Hypothesis, hypotheses};
use shipped::shipped;

#[test]
fn every_vector_reads_as_its_frames_and_encodes_to_the_same_bytes() {
    let (mut vectors, mut failures) = (0, Vec::new());
    for table in shipped() {
        let table = match table {
            Ok(table) => table,
            Err(mistakes) => {
                failures.push(mistakes);
                continue;
            }
        };
        for vector in &table.vectors {
            vectors += 1;
            let tried: Vec<_> = hypotheses(&table)
                .map(|parameters| Hypothesis::new(&table, parameters).replay(vector))
                .collect();
            let fits = tried.iter().any(Result::is_ok);
            if vector.wrong && fits {
                failures.push(format!("{}: `{}` is marked wrong and was accepted", table.name, vector.name));
            }
            if let (false, false, Some(Err(why))) = (vector.wrong, fits, tried.first()) {
                failures.push(format!("{}: `{}`: {why}", table.name, vector.name));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {vectors} vectors:\n{}", failures.len(), failures.join("\n"));
    assert!(vectors > 100, "only {vectors} vectors");
}

#[test]
fn every_table_with_frames_has_vectors_and_one_that_is_wrong() {
    let bare: Vec<_> = shipped()
        .flatten()
        .filter(|table| !table.frames.is_empty())
        .filter(|table| !table.vectors.iter().any(|vector| vector.wrong))
        .map(|table| table.name.to_string())
        .collect();
    assert!(bare.is_empty(), "no wrong vector in {bare:?}");
}
