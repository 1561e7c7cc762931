//! The CRC of a short message by one look-up for each byte, none of which waits for another.
//!
//! Frames are short and of many lengths: byte by byte each look-up waits for the one before, and no processor foresees
//! where the loop ends. Here the message is moved to the end of eight or sixteen bytes; what stands before it is zero,
//! and a zero leaves nothing. The tables are those of slicing (Kounavis and Berry, "A Systematic Approach to Building High
//! Performance Software-Based CRC Generators", ISCC 2005).

use std::ops::BitXor;

/// What a register holds after a message of 4 to 16 bytes that is no shorter than the register; `None` for others.
///
/// `tables[n]` has what a byte leaves in the register when `n` bytes come after it. `start` is what the register holds
/// before, in the order in which bytes meet it, the first one lowest.
#[inline(always)]
pub(super) fn register<R>(tables: &[[R; 256]; 16], start: u64, message: &[u8]) -> Option<R>
where
    R: Copy + BitXor<Output = R>,
{
    let length = message.len();
    if length < size_of::<R>() || length > 16 {
        return None;
    }
    if let (Some(&first), Some(&last)) = (message.first_chunk(), message.last_chunk())
        && length > 8
    {
        let before = 8 * (16 - length);
        let started = u128::from(start) << before;
        let [first, last] = [first, last].map(u64::from_le_bytes);
        let first = eight(tables, 8, (first << before) ^ started as u64);
        return Some(first ^ eight(tables, 0, last ^ (started >> 64) as u64));
    }
    let (Some(&first), Some(&last)) = (message.first_chunk(), message.last_chunk()) else { return None };
    let [first, last] = [first, last].map(|half| u64::from(u32::from_le_bytes(half)));
    let before = 8 * (8 - length);
    Some(eight(tables, 0, (first << before | last << 32) ^ start << before))
}

/// What eight bytes leave, the lowest one first, when `after` more come after them.
#[inline(always)]
fn eight<R>(tables: &[[R; 256]; 16], after: usize, bytes: u64) -> R
where
    R: Copy + BitXor<Output = R>,
{
    let left = |place: usize| tables[after + 7 - place][(bytes >> (8 * place)) as usize & 0xFF];
    (1..8).fold(left(0), |sum, place| sum ^ left(place))
}
