//! Questions and answers of one electricity meter, edition 2007.

use hsdiag::frame::Value;

use crate::decoded::Decoder;
use crate::shared_data::{hex, rows};

#[test]
fn questions_and_answers_of_a_meter_decode_and_speak_of_the_same_quantity() {
    let Some(rows) = rows("dlt645/meter161_pairs.tsv") else { return };
    let meter = Decoder::new("dlt645");
    for row in &rows {
        let (question, answer) = (hex(&row[0]), hex(&row[1]));
        assert_eq!(meter.names(&["read"], &question), ["read"]);
        assert_eq!(meter.names(&["content"], &answer), ["content"]);
        assert_eq!(meter.field("read", "di", &question), meter.field("content", "di", &answer));
    }
    let first = meter.field("content", "value", &hex(&rows[0][1]));
    assert_eq!(first, Value::bytes(vec![0x26, 0, 0, 0]), "0.26 kWh");
}
