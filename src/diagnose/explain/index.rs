//! What the shipped tables say of each single byte, looked up once and kept: to read and search them takes fifty times as long.
//!
//! `index.bin` is made by a test, which also fails when it no longer says what the tables say. Nothing depends on that: a table whose text is
//! not the one that was indexed is read and searched as if there were no index.
//!
//! The file: the number of tables; for each the length of its name, the name, a hash of its text; 257 offsets; then for each byte what
//! is said of it, as JSON, deflated. Numbers are four bytes, hashes eight, least significant first.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::protocol::Registry;

use super::answer::Entry;
use super::question::Reading;
use super::search::Searched;

const SHIPPED: &[u8] = include_bytes!("index.bin");

/// What is said of bytes, by table.
pub(super) struct Index<'i> {
    tables: Vec<(&'i str, u64)>,
    offsets: Vec<usize>,
    chunks: &'i [u8],
}

impl Index<'static> {
    pub(super) fn shipped() -> Index<'static> {
        // A file that cannot be read says nothing, and every table is read.
        Index::open(SHIPPED).unwrap_or(Index { tables: Vec::new(), offsets: Vec::new(), chunks: &[] })
    }
}

impl<'i> Index<'i> {
    fn open(file: &'i [u8]) -> Option<Index<'i>> {
        let mut rest = file;
        let count = number(&mut rest)?;
        let mut tables = Vec::new();
        for _ in 0..count {
            let length = number(&mut rest)?;
            let name = std::str::from_utf8(rest.get(..length)?).ok()?;
            rest = &rest[length..];
            let (hash, behind) = rest.split_first_chunk::<8>()?;
            rest = behind;
            tables.push((name, u64::from_le_bytes(*hash)));
        }
        let offsets = (0..=256).map(|_| number(&mut rest)).collect::<Option<_>>()?;
        Some(Index { tables, offsets, chunks: rest })
    }

    /// Whether this very text was indexed.
    pub(super) fn covers(&self, table: &str, text: &str) -> bool {
        let known = self.tables.iter().find(|(name, _)| *name == table);
        known.is_some_and(|(_, hash)| *hash == hash_of(text))
    }

    /// What all indexed tables say of a byte.
    pub(super) fn entries(&self, byte: u8) -> Vec<Entry> {
        let at = |index: usize| self.offsets.get(index).copied();
        let range = at(usize::from(byte)).zip(at(usize::from(byte) + 1));
        let chunk = range.and_then(|(from, to)| self.chunks.get(from..to)).unwrap_or_default();
        let mut json = String::new();
        match ZlibDecoder::new(chunk).read_to_string(&mut json) {
            Ok(_) => serde_json::from_str(&json).unwrap_or_default(),
            Err(_) => Vec::new(),
        }
    }
}

fn number(rest: &mut &[u8]) -> Option<usize> {
    let (number, behind) = rest.split_first_chunk::<4>()?;
    *rest = behind;
    usize::try_from(u32::from_le_bytes(*number)).ok()
}

/// FNV-1a over words of eight bytes: quick, and good enough to see that a text has changed.
fn hash_of(text: &str) -> u64 {
    let words = text.as_bytes().chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    words.fold(0xCBF2_9CE4_8422_2325, |hash: u64, word| {
        let hash = (hash ^ word).wrapping_mul(0x0000_0100_0000_01B3);
        hash ^ hash >> 32
    })
}

/// The index of these tables, as a file. Every table has to be readable.
pub fn index(registry: &Registry) -> Vec<u8> {
    let sources: Vec<_> = registry.sources().filter(|source| source.table().is_ok()).collect();
    let searched: Vec<Searched<'_>> =
        sources.iter().filter_map(|source| source.table().ok()).map(|table| Searched::new(table)).collect();
    let mut file = Vec::new();
    let put = |number: usize, file: &mut Vec<u8>| file.extend((number as u32).to_le_bytes());
    put(sources.len(), &mut file);
    for source in &sources {
        put(source.name().len(), &mut file);
        file.extend(source.name().as_bytes());
        file.extend(hash_of(source.text()).to_le_bytes());
    }
    let mut chunks = Vec::new();
    for byte in 0..=255 {
        put(chunks.len(), &mut file);
        let reading = Reading::of_byte(byte);
        let entries: Vec<Entry> = searched.iter().flat_map(|table| table.search(&reading)).collect();
        chunks.extend(deflated(&serde_json::to_vec(&entries).unwrap_or_default()));
    }
    put(chunks.len(), &mut file);
    file.extend(chunks);
    file
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// Whether the shipped index says what these tables say.
pub fn index_is_in_step(registry: &Registry) -> bool {
    let fresh = index(registry);
    let Some(fresh) = Index::open(&fresh) else { return false };
    let shipped = Index::shipped();
    fresh.tables == shipped.tables && (0..=255).all(|byte| fresh.entries(byte) == shipped.entries(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::TableSource;

    #[test]
    fn an_index_gives_back_what_was_found_and_knows_another_text() {
        let text = "name = \"own\"\n[[meaning]]\nbyte = 0x68\nas = \"a start\"\n";
        let registry = Registry::shipped().with([TableSource::new("own.toml", text.into())]);
        let own =
            Searched::new(registry.get("own").expect("a table").as_ref()).search(&Reading::of_byte(0x68));
        assert_eq!(own.len(), 1);
        let file = index(&registry);
        let index = Index::open(&file).expect("an index");
        assert!(index.covers("own", text) && !index.covers("own", &text.replace("start", "stop")));
        assert!(index.entries(0x68).contains(&own[0]));
        assert!(Index::open(&file[..file.len().min(9)]).is_none());
    }
}
