//! Questions to a solar inverter and its answers, behind a data logger.

use crate::decoded::Decoder;
use crate::shared_data::{hex, rows};

#[test]
fn questions_and_answers_of_an_inverter_decode_as_what_they_are() {
    let Some(rows) = rows("modbus-rtu/easun_pairs.tsv") else { return };
    let modbus = Decoder::new("modbus-rtu");
    for row in &rows {
        let (question, answer) = (hex(&row[0]), hex(&row[1]));
        assert_eq!(modbus.names(&["read_holding_registers"], &question), ["read_holding_registers"]);
        assert_eq!(modbus.names(&["holding_registers", "exception"], &answer), ["holding_registers"]);
        let asked = modbus.field("read_holding_registers", "count", &question).as_int().expect("a number");
        let bytes = modbus.field("holding_registers", "n", &answer).as_int().expect("a number");
        assert_eq!(bytes, asked * 2, "{row:?}");
    }
    assert_eq!(rows.len(), 7);
}
