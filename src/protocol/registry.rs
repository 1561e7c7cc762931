//! Which tables there are: the shipped ones, and the user's over them. Each is read when it is first asked for.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::thread;

use toml::de::DeTable;

use crate::frame::{Name, nearest};

use super::mistake::{Mistakes, Warning};
use super::model::Table;

/// Shipped tables by name, made from the folder `protocols` when the program is built.
const SHIPPED: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/tables.rs"));

/// A table that was read, with its warnings, or why it cannot be.
type Read = Result<(Arc<Table>, Vec<Warning>), Mistakes>;

/// A table that has not been read yet, or has.
#[derive(Debug)]
pub struct TableSource {
    name: Name,
    file: Cow<'static, str>,
    text: Cow<'static, str>,
    is_shipped: bool,
    read: OnceLock<Read>,
}

impl TableSource {
    fn shipped(name: &str, text: &'static str) -> TableSource {
        TableSource {
            name: Name::new(name),
            file: format!("protocols/{name}.toml").into(),
            text: text.into(),
            is_shipped: true,
            read: OnceLock::new(),
        }
    }

    /// A table of the user's; `file` is what its mistakes are told under.
    pub fn new(file: &str, text: String) -> TableSource {
        TableSource {
            name: name_in(file, &text),
            file: file.to_string().into(),
            text: text.into(),
            is_shipped: false,
            read: OnceLock::new(),
        }
    }

    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What its mistakes are told under.
    pub fn file(&self) -> &str {
        &self.file
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it came with the program.
    pub fn is_shipped(&self) -> bool {
        self.is_shipped
    }

    /// The table, read now if it was not before.
    pub fn table(&self) -> Result<&Arc<Table>, &Mistakes> {
        self.read().as_ref().map(|(table, _)| table)
    }

    /// What is doubtful in a table that can be used.
    pub fn warnings(&self) -> &[Warning] {
        self.read().as_ref().map(|(_, warnings)| &warnings[..]).unwrap_or_default()
    }

    fn read(&self) -> &Result<(Arc<Table>, Vec<Warning>), Mistakes> {
        self.read.get_or_init(|| {
            let read = if self.is_shipped { Table::read_proven } else { Table::read };
            read(&self.file, &self.text).map(|(table, warnings)| (Arc::new(table), warnings))
        })
    }
}

/// The name that a table gives itself; a table too broken to have one is called like its file.
fn name_in(file: &str, text: &str) -> Name {
    // The keys of the root stand before the first section. Where that cut goes through a text of several lines, all is looked at.
    let root = text.find("\n[").and_then(|end| own_name(&text[..end], true));
    root.or_else(|| own_name(text, false)).unwrap_or_else(|| {
        let last = file.rsplit(['/', '\\']).next().unwrap_or(file);
        Name::new(last.strip_suffix(".toml").unwrap_or(last))
    })
}

fn own_name(text: &str, flawless: bool) -> Option<Name> {
    let (tree, errors) = DeTable::parse_recoverable(text);
    let name = tree.get_ref().get("name").and_then(|name| name.get_ref().as_str())?;
    (!name.is_empty() && (errors.is_empty() || !flawless)).then(|| Name::new(name))
}

/// Reads those that were not read yet, on every core there is: nobody waits for sixty tables one by one.
pub fn read_all<'a>(sources: impl IntoIterator<Item = &'a TableSource>) {
    let unread: Vec<&TableSource> =
        sources.into_iter().filter(|source| source.read.get().is_none()).collect();
    on_every_core(&unread, |source| {
        source.read();
    });
}

/// What `work` makes of each, in their order; as many at a time as there are cores.
pub fn on_every_core<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(nth) else { return done };
            done.push((nth, work(item)));
        }
    };
    let mut done = thread::scope(|scope| {
        // This thread only waits: a new one is often put beside the one that made it, and would get its core only after some milliseconds.
        let workers = if cores > 1 { cores } else { 0 };
        let others: Vec<_> =
            (0..workers).filter_map(|_| thread::Builder::new().spawn_scoped(scope, work).ok()).collect();
        // Where no thread is to be had, this one does all.
        let mut done = if others.is_empty() { work() } else { Vec::with_capacity(items.len()) };
        for other in others {
            done.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(nth, _)| *nth);
    done.into_iter().map(|(_, made)| made).collect()
}

/// Tables by name.
#[derive(Clone, Debug)]
pub struct Registry {
    tables: BTreeMap<Name, Arc<TableSource>>,
}

/// Why there is no table of that name.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("no protocol is called `{name}`{}", nearest.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    Unknown { name: String, nearest: Option<Name> },
    #[error("{0}")]
    Mistakes(Mistakes),
}

impl Registry {
    /// The tables that came with the program; what of them was read is kept for the whole run.
    pub fn shipped() -> Registry {
        static SHIPPED_TABLES: LazyLock<Registry> = LazyLock::new(|| {
            let table = |&(name, text)| (Name::new(name), Arc::new(TableSource::shipped(name, text)));
            Registry { tables: SHIPPED.iter().map(table).collect() }
        });
        SHIPPED_TABLES.clone()
    }

    /// These tables with others over them: a table of the same name takes the place of the one before.
    pub fn with(mut self, tables: impl IntoIterator<Item = TableSource>) -> Registry {
        self.tables.extend(tables.into_iter().map(|table| (table.name.clone(), Arc::new(table))));
        self
    }

    /// The names of all tables, in order; nothing is read for it.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.tables.keys()
    }

    /// Every table with its text, read or not, by name.
    pub fn sources(&self) -> impl Iterator<Item = &TableSource> {
        self.tables.values().map(|table| &**table)
    }

    /// The table of this name or alias; others are read only when no table has this very name.
    pub fn get(&self, name: &str) -> Result<Arc<Table>, RegistryError> {
        let source = self.source(name)?;
        source.table().cloned().map_err(|mistakes| RegistryError::Mistakes(mistakes.clone()))
    }

    /// The same with its text and its warnings.
    pub fn source(&self, name: &str) -> Result<&TableSource, RegistryError> {
        if let Some(source) = self.tables.get(name) {
            return Ok(source);
        }
        let has_alias = |source: &&TableSource| {
            source.table().is_ok_and(|table| table.aliases.iter().any(|alias| &**alias == name))
        };
        if let Some(source) = self.sources().find(has_alias) {
            return Ok(source);
        }
        let aliases =
            self.sources().filter_map(|source| source.table().ok()).flat_map(|table| &table.aliases);
        let known = self.names().chain(aliases);
        let nearest = nearest(name, known.map(|name| &**name)).map(Name::new);
        Err(RegistryError::Unknown { name: name.into(), nearest })
    }

    /// Every table that can be used, and the mistakes of those that cannot.
    pub fn all(&self) -> (Vec<Arc<Table>>, Vec<Mistakes>) {
        read_all(self.sources());
        let (mut tables, mut mistakes) = (Vec::new(), Vec::new());
        for source in self.sources() {
            match source.table() {
                Ok(table) => tables.push(table.clone()),
                Err(wrong) => mistakes.push(wrong.clone()),
            }
        }
        (tables, mistakes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(name: &str, title: &str) -> TableSource {
        TableSource::new(
            "own.toml",
            format!("name = \"{name}\"\ntitle = \"{title}\"\naliases = [\"mine\"]\n"),
        )
    }

    #[test]
    fn a_shipped_table_is_called_like_its_file() {
        for source in Registry::shipped().sources() {
            if let Ok(table) = source.table() {
                assert_eq!(&table.name, source.name());
            }
        }
        assert!(Registry::shipped().names().count() > 0);
    }

    #[test]
    fn a_table_of_the_users_takes_the_place_of_the_shipped_one() {
        let shipped = Registry::shipped().names().next().map(ToString::to_string).expect("a table");
        let registry = Registry::shipped().with([own(&shipped, "Mine")]);
        let count = Registry::shipped().names().count();
        assert_eq!(registry.names().count(), count);
        assert_eq!(registry.get(&shipped).expect("the user's").title, "Mine");
    }

    #[test]
    fn the_name_is_found_however_the_root_is_written() {
        let called = |text: &str| name_in("folder/file.toml", text).to_string();
        assert_eq!(called("title = \"\"\"\n[a]\nname = \"no\"\n\"\"\"\nname = \"yes\"\n[talk]\n"), "yes");
        assert_eq!(called("title = 3 4\nname = \"yes\"\n[talk]\n"), "yes");
        assert_eq!(called("title = \"none\"\n[device]\nname = \"no\"\n"), "file");
        assert_eq!(called("[talk"), "file");
    }

    #[test]
    fn a_table_is_found_by_its_alias() {
        let registry = Registry::shipped().with([own("own", "Mine")]);
        assert_eq!(registry.get("mine").map(|table| table.name.to_string()).ok(), Some("own".into()));
    }

    #[test]
    fn a_name_that_nobody_has_gets_the_nearest_one() {
        let registry = Registry::shipped().with([own("own-protocol", "Mine")]);
        let error = registry.get("own-protocl").expect_err("no such table");
        assert_eq!(error.to_string(), "no protocol is called `own-protocl`; did you mean `own-protocol`?");
        let error = registry.get("quite-another").expect_err("no such table");
        assert_eq!(error.to_string(), "no protocol is called `quite-another`");
    }

    #[test]
    fn a_broken_table_of_the_users_hides_no_other() {
        let broken = TableSource::new("my/broken.toml", "name = ".into());
        let registry = Registry::shipped().with([broken, own("own", "Mine")]);
        let (tables, mistakes) = registry.all();
        assert!(tables.iter().any(|table| &*table.name == "own"));
        assert_eq!(mistakes.iter().filter(|of| of.to_string().starts_with("my/broken.toml:1:")).count(), 1);
        assert!(matches!(registry.get("broken"), Err(RegistryError::Mistakes(_))));
    }
}
