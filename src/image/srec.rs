//! Motorola S-records. Records are read by the crate `srec`; addresses and lines are ours.

use bytes::Bytes;
use srec::Record;

use super::read::ImageError;
use super::segment::Segment;

/// The data records of a file, and where it starts if it says so.
pub fn parts(text: &str) -> Result<(Vec<Segment>, Option<u64>), ImageError> {
    let mut parts: Vec<Segment> = Vec::new();
    let mut entry = None;
    let mut counted = 0u64;
    for (number, line) in text.lines().enumerate().map(|(place, line)| (place + 1, line.trim())) {
        if line.is_empty() {
            continue;
        }
        let wrong = |says: String| ImageError::Line { line: number, says };
        if !line.is_ascii() {
            return Err(wrong("a character that no S-record has".into()));
        }
        // A line at a time, so that a mistake has its number.
        let Some(record) = srec::read_records(line).next() else { continue };
        let record = record.map_err(|error| wrong(format!("this is no S-record: {error}")))?;
        let mut data = |at: u64, bytes: Vec<u8>| {
            counted += 1;
            parts.push(Segment { at, bytes: Bytes::from(bytes) });
        };
        match record {
            Record::S0(_) => {}
            Record::S1(record) => data(u64::from(record.address.0), record.data),
            Record::S2(record) => data(u64::from(u32::from(record.address)), record.data),
            Record::S3(record) => data(u64::from(record.address.0), record.data),
            Record::S5(count) => check_count(u64::from(count.0), counted & 0xFFFF, number)?,
            Record::S6(count) => check_count(u64::from(u32::from(count)), counted & 0xFF_FFFF, number)?,
            Record::S7(start) => entry = Some(u64::from(start.0)),
            Record::S8(start) => entry = Some(u64::from(u32::from(start))),
            Record::S9(start) => entry = Some(u64::from(start.0)),
        }
    }
    Ok((parts, entry.filter(|entry| *entry != 0)))
}

fn check_count(told: u64, counted: u64, line: usize) -> Result<(), ImageError> {
    if told == counted {
        return Ok(());
    }
    Err(ImageError::Line {
        line,
        says: format!("the file says it has {told} data records, and has {counted}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_records_are_read_and_a_wrong_checksum_names_its_line() {
        let good = "S00600004844521B\nS1137AF00A0A0D0000000000000000000000000061\nS5030001FB\nS9030000FC\n";
        let (read, _) = parts(good).unwrap();
        assert_eq!((read[0].at, read[0].bytes.len()), (0x7AF0, 16));
        let error = parts("S00600004844521B\nS1137AF00A0A0D0000000000000000000000000062\n").unwrap_err();
        assert!(matches!(error, ImageError::Line { line: 2, .. }), "{error}");
        let error =
            parts("S1137AF00A0A0D0000000000000000000000000061\nS5030002FA\n").unwrap_err().to_string();
        assert!(error.contains("2 data records, and has 1"), "{error}");
    }
}
