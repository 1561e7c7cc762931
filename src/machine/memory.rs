//! A device's memory, and what an observer knows of it.

use bytes::Bytes;

use crate::protocol::Region;

/// Regions of memory. An observer's begins unknown; a byte is known once it was written or erased.
#[derive(Clone, Debug)]
pub struct Memory {
    regions: Vec<Region>,
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

impl Memory {
    /// A device's memory: erased, then filled with each region's content.
    pub fn of(regions: &[Region]) -> Memory {
        Memory { regions: regions.to_vec() }
    }

    /// An observer's: nothing is known yet.
    pub fn shadow(regions: &[Region]) -> Memory {
        Memory::of(regions)
    }

    pub fn read(&self, address: u64, n: usize) -> Result<Bytes, MemoryError> {
        let _ = (&self.regions, address, n);
        todo!()
    }
}
