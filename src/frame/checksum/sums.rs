//! The sums of serial protocols, fast over short frames.

/// The sum of all bytes; `sum8`, `sum16` and `sum32` are its low bits.
pub fn sum(pieces: &[&[u8]]) -> u64 {
    pieces.iter().map(|piece| piece.iter().map(|&byte| u64::from(byte)).sum::<u64>()).sum()
}

pub fn sum8(pieces: &[&[u8]]) -> u8 {
    pieces.iter().fold(0, |sum: u8, piece| sum.wrapping_add(sum8_of(piece)))
}

pub fn xor8(pieces: &[&[u8]]) -> u8 {
    pieces.iter().fold(0, |xor, piece| xor ^ xor8_of(piece))
}

/// [`sum8`] of one piece.
#[inline(always)]
pub fn sum8_of(piece: &[u8]) -> u8 {
    let of_words = |[low, high]: [u64; 2]| sum_of_word(low).wrapping_add(sum_of_word(high));
    match blocks_and_rest(piece) {
        Some((blocks, rest)) => {
            let lanes = combine(blocks, u8::wrapping_add);
            lanes.iter().fold(of_words(rest), |sum, lane| sum.wrapping_add(*lane))
        }
        None => of_words(words(piece)),
    }
}

/// [`xor8`] of one piece.
#[inline(always)]
pub fn xor8_of(piece: &[u8]) -> u8 {
    let of_words = |[low, high]: [u64; 2]| (low ^ high).to_le_bytes().iter().fold(0, |xor, byte| xor ^ byte);
    match blocks_and_rest(piece) {
        Some((blocks, rest)) => {
            combine(blocks, |one, other| one ^ other).iter().fold(of_words(rest), |xor, lane| xor ^ lane)
        }
        None => of_words(words(piece)),
    }
}

#[inline(always)]
fn sum_of_word(word: u64) -> u8 {
    // Every other byte, so that four sums of two bytes have room.
    let pairs = (word & 0x00FF_00FF_00FF_00FF) + (word >> 8 & 0x00FF_00FF_00FF_00FF);
    (pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48) as u8
}

/// Words of 16 bits combined by exclusive or, the low byte of each first; a last byte alone is a low one.
pub fn xor16(pieces: &[&[u8]]) -> u16 {
    let mut both = [0u8; 2];
    for (place, byte) in pieces.iter().copied().flatten().enumerate() {
        both[place % 2] ^= byte;
    }
    u16::from_le_bytes(both)
}

/// Two's complement of `sum8` (Modbus ASCII, DF1 BCC).
pub fn lrc(pieces: &[&[u8]]) -> u8 {
    sum8(pieces).wrapping_neg()
}

/// 8-bit Fletcher, A then B (UBX): both sums modulo 256.
pub fn fletcher8(pieces: &[&[u8]]) -> [u8; 2] {
    let [mut a, mut b] = [0u8; 2];
    for &byte in pieces.iter().copied().flatten() {
        a = a.wrapping_add(byte);
        b = b.wrapping_add(a);
    }
    [a, b]
}

/// Inverted sum with end-around carry (LIN).
pub fn carry_sum8(pieces: &[&[u8]]) -> u8 {
    let total = sum(pieces);
    // A carry that is added back at once is a sum modulo 255, with FF where that is 0 but the sum is not.
    let carried = if total == 0 { 0 } else { (total - 1) % 255 + 1 };
    !(carried as u8)
}

/// The bytes of all blocks that stand at the same place, combined.
#[inline(always)]
fn combine(blocks: &[[u8; 16]], with: impl Fn(u8, u8) -> u8) -> [u8; 16] {
    let mut lanes = [0; 16];
    for block in blocks {
        for (lane, byte) in lanes.iter_mut().zip(block) {
            *lane = with(*lane, *byte);
        }
    }
    lanes
}

/// Full blocks of sixteen bytes or more, and what is behind them as two words filled up with zeros.
///
/// Frames are short and of many lengths: the rest is loaded at once, not in a loop whose end no processor can foresee.
#[inline(always)]
fn blocks_and_rest(bytes: &[u8]) -> Option<(&[[u8; 16]], [u64; 2])> {
    let (blocks, rest) = bytes.as_chunks();
    let seen_twice = 16 - rest.len();
    let rest = u128::from_le_bytes(*bytes.last_chunk()?).unbounded_shr(8 * seen_twice as u32);
    Some((blocks, [rest as u64, (rest >> 64) as u64]))
}

/// Fewer than sixteen bytes as the low ones of two words.
#[inline(always)]
fn words(bytes: &[u8]) -> [u64; 2] {
    match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(&first), Some(&last)) => {
            let seen_twice = 16 - bytes.len();
            [u64::from_le_bytes(first), u64::from_le_bytes(last).unbounded_shr(8 * seen_twice as u32)]
        }
        _ => [word(bytes), 0],
    }
}

/// Fewer than eight bytes as the low ones of a word.
#[inline(always)]
fn word(bytes: &[u8]) -> u64 {
    let count = bytes.len() as u32;
    if let (Some(&first), Some(&last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let [first, last] = [first, last].map(u32::from_le_bytes);
        u64::from(first) | u64::from(last).unbounded_shl(8 * (count - 4))
    } else if let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) {
        let middle = bytes[bytes.len() / 2];
        let [first, middle, last] = [first, middle, last].map(u64::from);
        first | middle << (8 * (count / 2)) | last << (8 * (count - 1))
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_blocks_and_words_are_those_byte_by_byte() {
        let bytes: Vec<u8> = (0..100u32).map(|n| (n * n * 37 + 11) as u8).collect();
        for from in 0..20 {
            for to in from..bytes.len() {
                let piece = &bytes[from..to];
                assert_eq!(
                    sum8(&[piece]),
                    piece.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte)),
                    "{from}..{to}"
                );
                assert_eq!(xor8(&[piece]), piece.iter().fold(0, |xor, byte| xor ^ byte), "{from}..{to}");
            }
        }
    }

    #[test]
    fn sums_are_those_of_the_protocols_that_use_them() {
        // M-Bus: SND_NKE to address 1. Modbus ASCII: read coils 0x13.. of 0x11. NMEA: checksum of a GLL sentence.
        assert_eq!(sum8(&[&[0x40, 0x01]]), 0x41);
        assert_eq!(lrc(&[&[0x11, 0x03, 0x00, 0x6B, 0x00, 0x03]]), 0x7E);
        assert_eq!(xor8(&[b"GPGLL,5300.97914,N,00259.98174,E,125926,A"]), 0x28);
        // UBX: poll of MON-VER. LIN 2.0: classic checksum of 4A 55 93 E5 is E6.
        assert_eq!(fletcher8(&[&[0x0A, 0x04, 0x00, 0x00]]), [0x0E, 0x34]);
        assert_eq!(carry_sum8(&[&[0x4A, 0x55, 0x93, 0xE5]]), 0xE6);
        assert_eq!(carry_sum8(&[&[0xFF]]), 0x00);
        assert_eq!(carry_sum8(&[]), 0xFF);
        assert_eq!(sum(&[&[0xFF; 300], &[1]]), 300 * 255 + 1);
    }
}
