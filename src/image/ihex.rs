//! Intel HEX, with its extended addresses. Records are read by the crate `ihex`; addresses and lines are ours.

use bytes::Bytes;
use ihex::Record;

use super::read::ImageError;
use super::segment::Segment;

/// The data records of a file, and where it starts if it says so.
pub fn parts(text: &str) -> Result<(Vec<Segment>, Option<u64>), ImageError> {
    let mut parts: Vec<Segment> = Vec::new();
    let mut base = 0u64;
    let mut entry = None;
    let mut ended = false;
    for (number, line) in text.lines().enumerate().map(|(place, line)| (place + 1, line.trim())) {
        if line.is_empty() {
            continue;
        }
        let wrong = |says: String| ImageError::Line { line: number, says };
        if ended {
            return Err(wrong("a record behind the end-of-file record".into()));
        }
        match Record::from_record_string(line).map_err(|error| wrong(error.to_string()))? {
            Record::Data { offset, value } => {
                parts.push(Segment { at: base + u64::from(offset), bytes: Bytes::from(value) });
            }
            Record::EndOfFile => ended = true,
            Record::ExtendedSegmentAddress(segment) => base = u64::from(segment) << 4,
            Record::ExtendedLinearAddress(upper) => base = u64::from(upper) << 16,
            Record::StartLinearAddress(start) => entry = Some(u64::from(start)),
            Record::StartSegmentAddress { cs, ip } => entry = Some((u64::from(cs) << 4) + u64::from(ip)),
        }
    }
    if !ended {
        return Err(ImageError::Truncated { says: "the end-of-file record `:00000001FF` is missing".into() });
    }
    Ok((parts, entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_addresses_move_what_follows() {
        let text = ":020000040800F2\n:0400000001020304F2\n:020000021000EC\n:0200100055AA EF\n:00000001FF\n";
        let text = text.replace(' ', "");
        let (parts, _) = parts(&text).unwrap();
        assert_eq!(parts.iter().map(|part| part.at).collect::<Vec<_>>(), [0x0800_0000, 0x1_0010]);
    }

    #[test]
    fn a_wrong_line_is_named_and_a_missing_end_is_a_truncation() {
        let error = parts(":0400000001020304F2\n:10000000ZZ\n").unwrap_err();
        assert!(matches!(error, ImageError::Line { line: 2, .. }), "{error}");
        let error = parts(":0400000001020304F2\n").unwrap_err().to_string();
        assert!(error.contains("end-of-file"), "{error}");
        let error = parts(":0400000001020304F3\n").unwrap_err().to_string();
        assert!(error.to_lowercase().contains("checksum"), "{error}");
    }
}
