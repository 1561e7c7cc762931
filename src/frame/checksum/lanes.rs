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
    match message.len() {
        0..4 | 17.. => None,
        length if length < size_of::<R>() => None,
        4..=8 => of_eight(tables, start, message),
        _ => of_sixteen(tables, start, message),
    }
}

#[inline(always)]
fn of_eight<R>(tables: &[[R; 256]; 16], start: u64, message: &[u8]) -> Option<R>
where
    R: Copy + BitXor<Output = R>,
{
    let [first, last] = [*message.first_chunk()?, *message.last_chunk()?].map(u32::from_le_bytes);
    let before = 8 * (8 - message.len());
    let moved = u64::from(first) << before | u64::from(last) << 32;
    Some(eight(tables, 0, moved ^ start << before))
}

/// Of its own, so that shorter messages do not pay for the registers of the processor that it takes.
#[inline(never)]
fn of_sixteen<R>(tables: &[[R; 256]; 16], start: u64, message: &[u8]) -> Option<R>
where
    R: Copy + BitXor<Output = R>,
{
    let [first, last] = [*message.first_chunk()?, *message.last_chunk()?].map(u64::from_le_bytes);
    let before = 8 * (16 - message.len());
    let started = u128::from(start) << before;
    let first = eight(tables, 8, (first << before) ^ started as u64);
    Some(first ^ eight(tables, 0, last ^ (started >> 64) as u64))
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
