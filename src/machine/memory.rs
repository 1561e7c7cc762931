//! A device's memory, and what an observer knows of it.
//!
//! Both are sparse: what was never touched costs nothing, however large the table says the memory is.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use crate::frame::Name;
use crate::protocol::Region;

/// Regions of memory. An observer's begins unknown; a byte is known once it was written or erased.
#[derive(Clone, Debug)]
pub struct Memory {
    regions: Vec<Bank>,
    /// The last write, with what stood there before: it may be torn by a loss of power.
    last: Option<(u64, Bytes)>,
}

/// Why memory cannot be read or written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemoryError {
    #[error("{n} bytes at {address:#x} lie outside the device's memory")]
    Outside { address: u64, n: usize },
    /// An observer has not seen what stands there.
    #[error("what stands at {address:#x} was not seen")]
    Unknown { address: u64 },
}

/// A region with what stands in it.
#[derive(Clone, Debug)]
struct Bank {
    region: Region,
    /// Bytes that no page holds are erased, and known to be; else they are not known.
    erased: bool,
    pages: BTreeMap<u64, Page>,
}

const PAGE: usize = 256;

#[derive(Clone, Debug)]
struct Page {
    bytes: [u8; PAGE],
    known: [bool; PAGE],
}

impl Memory {
    /// A device's memory: erased, then filled with each region's content.
    pub fn of(regions: &[Region]) -> Memory {
        let mut memory = Memory::filled(regions, true);
        for bank in &mut memory.regions {
            let content = bank.region.content.bytes.clone();
            let most = usize::try_from(bank.region.size).unwrap_or(usize::MAX).min(content.len());
            bank.put(0, &content[..most], false);
        }
        memory
    }

    /// An observer's: nothing is known yet.
    pub fn shadow(regions: &[Region]) -> Memory {
        Memory::filled(regions, false)
    }

    fn filled(regions: &[Region], erased: bool) -> Memory {
        let bank = |region: &Region| Bank { region: region.clone(), erased, pages: BTreeMap::new() };
        Memory { regions: regions.iter().map(bank).collect(), last: None }
    }

    /// What stands there.
    pub fn read(&self, address: u64, n: usize) -> Result<Bytes, MemoryError> {
        let (bank, offset) = self.find(address, n)?;
        let bank = &self.regions[bank];
        // Of most memory an observer knows nothing.
        if n > 0 && bank.byte(offset).is_none() {
            return Err(MemoryError::Unknown { address });
        }
        let mut bytes = BytesMut::with_capacity(n);
        for offset in offset..offset + n as u64 {
            let unknown = MemoryError::Unknown { address: bank.region.base + offset };
            bytes.extend_from_slice(&[bank.byte(offset).ok_or(unknown)?]);
        }
        Ok(bytes.freeze())
    }

    /// Nothing at all is known of it.
    pub(super) fn is_unseen(&self) -> bool {
        self.regions.iter().all(|bank| !bank.erased && bank.pages.is_empty())
    }

    /// Writes bytes; in memory that programming can only clear, ones stay where zeros were.
    pub fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), MemoryError> {
        let (bank, offset) = self.find(address, bytes.len())?;
        self.last = self.read(address, bytes.len()).ok().map(|before| (address, before));
        let clears = self.regions[bank].region.clears;
        self.regions[bank].put(offset, bytes, clears);
        Ok(())
    }

    pub fn erase(&mut self, address: u64, n: u64) -> Result<(), MemoryError> {
        let len = usize::try_from(n).unwrap_or(usize::MAX);
        let (bank, offset) = self.find(address, len)?;
        self.regions[bank].erase(offset, n);
        Ok(())
    }

    /// Erases a region, or all that are no RAM.
    pub fn erase_all(&mut self, region: Option<&Name>) {
        let chosen = |bank: &&mut Bank| match region {
            Some(name) => bank.region.name == *name,
            None => !bank.region.ram,
        };
        for bank in self.regions.iter_mut().filter(chosen) {
            bank.pages.clear();
            bank.erased = true;
        }
    }

    /// The last write is over: nothing can tear it any more.
    pub(super) fn settle(&mut self) {
        self.last = None;
    }

    /// Power fails in the middle of the last write: only its first bytes, `of` them at the most, got in.
    pub fn tear(&mut self, of: usize) {
        let Some((address, before)) = self.last.take() else { return };
        let Ok((bank, offset)) = self.find(address, before.len()) else { return };
        let from = of.min(before.len());
        self.regions[bank].put(offset + from as u64, &before[from..], false);
    }

    /// What is left of it after a loss of power: RAM begins anew.
    pub fn without_power(mut self) -> Memory {
        for bank in self.regions.iter_mut().filter(|bank| bank.region.ram) {
            let fresh = Memory::of(std::slice::from_ref(&bank.region));
            if let Some(fresh) = fresh.regions.into_iter().next() {
                *bank = fresh;
            }
        }
        self.last = None;
        self
    }

    /// Nobody knows any more what stands there; what lies outside never was known.
    pub(super) fn forget(&mut self, address: u64, n: u64) {
        let Ok((bank, offset)) = self.find(address, 1) else { return };
        let bank = &mut self.regions[bank];
        bank.forget(offset, n.min(bank.region.size - offset));
    }

    pub(super) fn forget_all(&mut self) {
        for bank in &mut self.regions {
            bank.pages.clear();
            bank.erased = false;
        }
    }

    /// The region that holds all of these bytes, and where they begin in it.
    fn find(&self, address: u64, n: usize) -> Result<(usize, u64), MemoryError> {
        let outside = MemoryError::Outside { address, n };
        let end = address.checked_add(n as u64).ok_or(outside)?;
        let holds = |bank: &Bank| {
            let Region { base, size, .. } = bank.region;
            base <= address && end - base <= size
        };
        let found = self.regions.iter().position(holds).ok_or(outside)?;
        Ok((found, address - self.regions[found].region.base))
    }
}

impl Bank {
    fn byte(&self, offset: u64) -> Option<u8> {
        let (page, within) = place(offset);
        let erased = self.erased.then_some(self.region.erased);
        match self.pages.get(&page) {
            Some(page) if page.known[within] => Some(page.bytes[within]),
            _ => erased,
        }
    }

    fn put(&mut self, offset: u64, bytes: &[u8], clears: bool) {
        for (offset, &byte) in (offset..).zip(bytes) {
            let before = if clears { self.byte(offset) } else { None };
            self.set(offset, before.map_or(byte, |before| before & byte));
        }
    }

    fn set(&mut self, offset: u64, byte: u8) {
        let (page, within) = place(offset);
        let fresh = || Page { bytes: [0; PAGE], known: [false; PAGE] };
        let page = self.pages.entry(page).or_insert_with(fresh);
        page.bytes[within] = byte;
        page.known[within] = true;
    }

    fn forget(&mut self, offset: u64, n: u64) {
        if std::mem::replace(&mut self.erased, false) {
            // What was known to be erased stays known around the gap, as far as anybody wrote near it.
            for page in self.pages.values_mut() {
                for within in 0..PAGE {
                    if !page.known[within] {
                        page.bytes[within] = self.region.erased;
                        page.known[within] = true;
                    }
                }
            }
        }
        for page in offset / PAGE as u64..=(offset + n) / PAGE as u64 {
            let Some(held) = self.pages.get_mut(&page) else { continue };
            let start = page * PAGE as u64;
            for within in 0..PAGE {
                held.known[within] &= !(offset..offset + n).contains(&(start + within as u64));
            }
        }
    }

    fn erase(&mut self, offset: u64, n: u64) {
        let end = offset + n;
        // Whole pages at once; what is left of the first and of the last byte by byte.
        let first = offset.div_ceil(PAGE as u64);
        let whole = first..(end / PAGE as u64).max(first);
        for page in whole.clone() {
            if self.erased {
                self.pages.remove(&page);
            } else {
                self.pages.insert(page, Page { bytes: [self.region.erased; PAGE], known: [true; PAGE] });
            }
        }
        let head = offset..end.min(whole.start * PAGE as u64);
        let tail = (whole.end * PAGE as u64).max(head.end)..end;
        head.chain(tail).for_each(|offset| self.set(offset, self.region.erased));
    }
}

fn place(offset: u64) -> (u64, usize) {
    (offset / PAGE as u64, (offset % PAGE as u64) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Blob;

    fn flash() -> Region {
        Region {
            name: "flash".into(),
            base: 0x0800_0000,
            size: 0x1000,
            erased: 0xFF,
            page: None,
            sectors: Vec::new(),
            clears: true,
            ram: false,
            content: Blob::default(),
        }
    }

    #[test]
    fn programming_only_clears_bits_until_the_page_is_erased() {
        let mut memory = Memory::of(&[flash()]);
        memory.write(0x0800_0010, &[0xF0]).unwrap();
        memory.write(0x0800_0010, &[0x3C]).unwrap();
        assert_eq!(memory.read(0x0800_0010, 2).unwrap()[..], [0x30, 0xFF]);
        memory.erase(0x0800_0000, 0x1000).unwrap();
        assert_eq!(memory.read(0x0800_0010, 1).unwrap()[..], [0xFF]);
    }

    #[test]
    fn what_lies_outside_is_refused_even_at_the_end_of_all_addresses() {
        let mut memory = Memory::of(&[flash()]);
        assert_eq!(
            memory.write(0x0800_0FFF, &[1, 2]),
            Err(MemoryError::Outside { address: 0x0800_0FFF, n: 2 })
        );
        assert!(memory.read(u64::MAX, 2).is_err());
        assert!(memory.erase(0x0800_0000, u64::MAX).is_err());
    }

    #[test]
    fn an_observer_knows_only_what_it_saw() {
        let mut memory = Memory::shadow(&[flash()]);
        assert_eq!(memory.read(0x0800_0000, 1), Err(MemoryError::Unknown { address: 0x0800_0000 }));
        memory.write(0x0800_0000, &[0x12]).unwrap();
        assert_eq!(memory.read(0x0800_0000, 1).unwrap()[..], [0x12]);
        memory.erase_all(None);
        assert_eq!(memory.read(0x0800_0FFF, 1).unwrap()[..], [0xFF]);
    }
}
