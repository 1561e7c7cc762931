//! Reads and writes files for the floors below, which see no disk.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::capture::{Header, Reader, Record};
use crate::image::{self, ImageError, ReadImage};
use crate::protocol::TableSource;

use super::failure::Failure;

/// A capture as far as it can be read; what is wrong with the rest comes beside it.
pub struct Captured {
    pub header: Header,
    pub records: Vec<Record>,
    pub mistake: Option<Failure>,
}

/// Reads a firmware image, of whatever kind the file is.
pub fn firmware(path: &Path) -> Result<ReadImage, Failure> {
    let failed = |error| Failure::file(path, "read", error);
    let there = std::fs::metadata(path).map_err(failed)?;
    if there.is_dir() {
        return Err(failed(std::io::ErrorKind::IsADirectory.into()));
    }
    let wrong = |error: ImageError| Failure::Input {
        sentence: match &error {
            ImageError::Line { .. } => format!("{}, {error}", path.display()),
            _ => format!("{}: {error}", path.display()),
        },
        next: "build or copy it anew; raw binary, Intel HEX, S-records, ELF and UF2 are read".into(),
    };
    // What is too large is not even read.
    if there.len() > image::LARGEST {
        return Err(wrong(ImageError::TooLarge { size: there.len() }));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    image::read(bytes.into()).map_err(wrong)
}

/// Reads event lines.
pub fn capture(path: &Path) -> Result<Captured, Failure> {
    // Asked first: Windows would only say that access is denied.
    if path.is_dir() {
        return Err(Failure::file(path, "read", std::io::ErrorKind::IsADirectory.into()));
    }
    let file = File::open(path).map_err(|error| Failure::file(path, "read", error))?;
    let wrong = |mistake| Failure::Capture { path: path.into(), mistake };
    let reader = Reader::new(BufReader::new(file)).map_err(wrong)?;
    let header = *reader.header();
    let (mut records, mut mistake) = (Vec::new(), None);
    for record in reader {
        match record {
            Ok(record) => records.push(record),
            Err(error) => mistake = Some(wrong(error)),
        }
    }
    Ok(Captured { header, records, mistake })
}

/// The user's own tables: those of the config folder, over them those of `$HSDIAG_PROTOCOLS`, over them those of `given`.
///
/// A folder that was named has to be there; the config folder need not.
pub fn tables(given: &[PathBuf]) -> Result<Vec<TableSource>, Failure> {
    let own = etcetera::choose_base_strategy().map(|base| base.config_dir().join("hsdiag").join("protocols"));
    let mut found = Vec::new();
    if let Some(own) = own.ok().filter(|own| own.is_dir()) {
        found.extend(tables_in(&own)?);
    }
    let named = std::env::var_os("HSDIAG_PROTOCOLS").unwrap_or_default();
    for folder in std::env::split_paths(&named).filter(|path| !path.as_os_str().is_empty()) {
        found.extend(tables_in(&folder)?);
    }
    for folder in given {
        found.extend(tables_in(folder)?);
    }
    Ok(found)
}

/// The tables of one folder, by name of file.
fn tables_in(folder: &Path) -> Result<Vec<TableSource>, Failure> {
    let failed = |error| Failure::file(folder, "read", error);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failed)?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    paths.iter().map(|path| Ok(TableSource::new(&path.display().to_string(), table_text(path)?))).collect()
}

/// One table's text.
pub fn table_text(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read(path).map_err(|error| Failure::file(path, "read", error))?;
    String::from_utf8(text).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let said = format!("byte {} is no UTF-8 text", at + 1);
        Failure::file(path, "read", std::io::Error::new(std::io::ErrorKind::InvalidData, said))
    })
}

/// A new file for writing; a file that is there already is left alone unless `force` says otherwise.
pub fn create(path: &Path, force: bool) -> Result<BufWriter<File>, Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    // What is no file (/dev/null, a pipe) is written to, not created.
    let file = match std::fs::metadata(path) {
        Ok(there) if there.is_file() && !force => return Err(Failure::Exists(path.into())),
        Ok(there) if there.is_file() => options.truncate(true).open(path),
        Ok(_) => options.open(path),
        Err(_) => options.create_new(true).open(path),
    };
    file.map(BufWriter::new).map_err(|error| Failure::file(path, "write", error))
}
