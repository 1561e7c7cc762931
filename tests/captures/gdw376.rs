//! Frames of a concentrator, some with a meter's frame inside.

use crate::decoded::Decoder;
use crate::shared_data::{hex, rows};

#[test]
fn frames_of_a_concentrator_decode_and_so_does_the_meter_frame_inside() {
    let Some(rows) = rows("gdw3761/frames.hex") else { return };
    let concentrator = Decoder::new("gdw376");
    let meter = Decoder::new("dlt645");
    let frames = ["login", "heartbeat", "forwarded", "report", "up"];
    let mut inside = 0;
    for row in &rows {
        let bytes = hex(&row[0]);
        let names = concentrator.names(&frames, &bytes);
        assert_eq!(names.len(), 1, "{row:?}");
        if names[0] == "forwarded" {
            let within = concentrator.field("forwarded", "meter_frame", &bytes);
            let within = within.as_bytes().expect("a meter's frame is bytes");
            assert_eq!(meter.names(&["content", "relay_done"], within).len(), 1);
            inside += 1;
        }
    }
    assert_eq!((rows.len(), inside), (7, 3));
}
