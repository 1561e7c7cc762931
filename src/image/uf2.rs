//! UF2 blocks and families (microsoft/uf2, file format): 512 bytes a block, each with its own address.

use bytes::Bytes;

use super::read::ImageError;
use super::segment::Segment;

const BLOCK: usize = 512;
const MAGIC: [(usize, u32); 3] = [(0, 0x0A32_4655), (4, 0x9E5D_5157), (508, 0x0AB1_6F30)];
const NOT_MAIN_FLASH: u32 = 1;
const HAS_FAMILY: u32 = 0x2000;

/// The parts for each family; `None` where the blocks name none.
pub type Families = Vec<(Option<u32>, Vec<Segment>)>;

pub fn is_uf2(file: &[u8]) -> bool {
    file.len() >= 8 && word(file, 0) == MAGIC[0].1 && word(file, 4) == MAGIC[1].1
}

/// The blocks that belong into the main flash, by the family they are for, in the order of their first blocks.
pub fn parts(file: &Bytes) -> Result<Families, ImageError> {
    let wrong = |block: usize, says: &str| ImageError::Broken {
        kind: "UF2 file",
        says: format!("block {block}: {says}"),
    };
    if file.is_empty() || !file.len().is_multiple_of(BLOCK) {
        let says = format!("its {} bytes are no whole number of blocks of {BLOCK}", file.len());
        return Err(ImageError::Broken { kind: "UF2 file", says });
    }
    let mut families = Families::new();
    for (number, block) in file.chunks(BLOCK).enumerate() {
        if MAGIC.iter().any(|(at, magic)| word(block, *at) != *magic) {
            return Err(wrong(number, "its magic numbers are not there"));
        }
        let (flags, at, size) = (word(block, 8), word(block, 12), word(block, 16) as usize);
        if size > 476 {
            return Err(wrong(number, "it says it holds more than 476 bytes"));
        }
        if flags & NOT_MAIN_FLASH != 0 {
            continue;
        }
        let family = (flags & HAS_FAMILY != 0).then(|| word(block, 28));
        let from = number * BLOCK + 32;
        let part = Segment { at: u64::from(at), bytes: file.slice(from..from + size) };
        match families.iter_mut().find(|(known, _)| *known == family) {
            Some((_, parts)) => parts.push(part),
            None => families.push((family, vec![part])),
        }
    }
    Ok(families)
}

fn word(block: &[u8], at: usize) -> u32 {
    let bytes = block.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; 4]);
    u32::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(at: u32, fill: u8) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        for (place, magic) in MAGIC {
            block[place..place + 4].copy_from_slice(&magic.to_le_bytes());
        }
        block[8..12].copy_from_slice(&HAS_FAMILY.to_le_bytes());
        block[12..16].copy_from_slice(&at.to_le_bytes());
        block[16..20].copy_from_slice(&256u32.to_le_bytes());
        block[28..32].copy_from_slice(&0xE48B_FF56u32.to_le_bytes());
        block[32..288].fill(fill);
        block
    }

    #[test]
    fn blocks_carry_their_addresses_and_their_family() {
        let file = Bytes::from([block(0x1000_0000, 1), block(0x1000_0100, 2)].concat());
        let families = parts(&file).unwrap();
        let [(family, parts)] = &families[..] else { panic!("{families:?}") };
        assert_eq!(
            parts.iter().map(|p| (p.at, p.bytes[0])).collect::<Vec<_>>(),
            [(0x1000_0000, 1), (0x1000_0100, 2)]
        );
        assert_eq!(*family, Some(0xE48B_FF56));
    }

    #[test]
    fn a_file_that_breaks_off_in_a_block_is_refused() {
        let file = Bytes::from(block(0, 1)).slice(..300);
        assert!(parts(&file).unwrap_err().to_string().contains("512"));
    }
}
