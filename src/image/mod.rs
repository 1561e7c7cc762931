//! Floor 0: what a firmware image is. Bytes at addresses, from whatever file they came.

mod bin;
mod elf;
mod ihex;
mod read;
mod segment;
mod srec;
mod uf2;

pub use read::{FileKind, ImageError, LARGEST, Machine, ReadImage, read};
pub use segment::{Image, Overlap, Segment};
