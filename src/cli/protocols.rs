//! `hsdiag protocols`: the tables, and the language they are written in.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::frame::nearest;
use crate::protocol::{self, ExchangeId, Graph, Mistake, Severity, Table, TableSource};
use crate::report::{self, Checked, CheckedFile, MistakeFace, ProtocolFace, ProtocolSheet};

use super::args::exit_codes;
use super::failure::{Exit, Failure};
use super::files;
use super::session::Session;

/// List, show, check and draw the protocol tables; print the language they are written in
#[derive(Args)]
#[command(after_help = concat!(
    "A table is one TOML file. Tables of your own are found in --protocols DIR, in the folders of
$HSDIAG_PROTOCOLS, and in hsdiag/protocols of your config folder; one with the name of a shipped
table takes its place.

Examples:
  hsdiag protocols list
  hsdiag protocols show mbus
  hsdiag protocols check mine.toml
  hsdiag protocols graph stm32 --svg > stm32.svg

",
    exit_codes!()
))]
pub struct Protocols {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Every table there is
    List,
    /// One table: line, frames, states, parameters, sources
    Show {
        name: String,
        /// Print the file itself
        #[arg(long)]
        toml: bool,
    },
    /// Check tables: every mistake with its place; exit 1 if there is any
    Check {
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print the reference of the table language, as Markdown
    Reference,
    /// Print the JSON Schema of table files, for editors
    Schema,
    /// Draw the states of a table, or one exchange step by step, as Mermaid or SVG
    Graph {
        name: String,
        /// One exchange in place of the states
        #[arg(long, value_name = "NAME")]
        exchange: Option<String>,
        /// SVG in place of Mermaid
        #[arg(long)]
        svg: bool,
    },
}

impl Protocols {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        match self.what {
            What::List => list(session),
            What::Show { name, toml } => show(session, &name, toml),
            What::Check { files } => check(session, &files),
            What::Reference => print(session, &protocol::reference()),
            What::Schema => print(session, &format!("{:#}\n", protocol::schema())),
            What::Graph { name, exchange, svg } => graph(session, &name, exchange.as_deref(), svg),
        }
    }
}

fn print(session: &Session, text: &str) -> Result<Exit, Failure> {
    session.output.write(text)?;
    Ok(Exit::Yes)
}

fn list(session: &Session) -> Result<Exit, Failure> {
    let face = |source: &TableSource| match source.table() {
        Ok(table) => ProtocolFace::of(table, source.file(), source.is_shipped()),
        Err(mistakes) => {
            let mistakes = mistakes.iter().map(ToString::to_string).collect();
            ProtocolFace::broken(source.name(), source.file(), mistakes)
        }
    };
    let registry = session.tables.registry()?;
    protocol::read_all(registry.sources());
    let protocols = registry.sources().map(face).collect();
    session.output.show(&report::Protocols { protocols })?;
    Ok(Exit::Yes)
}

fn show(session: &Session, name: &str, toml: bool) -> Result<Exit, Failure> {
    let source = session.tables.registry()?.source(name)?;
    if toml && !session.output.json {
        session.output.write(source.text())?;
        return Ok(Exit::Yes);
    }
    let table = source.table().map_err(|mistakes| Failure::Table(mistakes.clone()))?;
    session.output.show(&ProtocolSheet::new(table, source.file(), source.is_shipped(), source.text()))?;
    Ok(Exit::Yes)
}

fn check(session: &Session, paths: &[PathBuf]) -> Result<Exit, Failure> {
    let checked = protocol::on_every_core(paths, |path| {
        let file = path.display().to_string();
        let (good, mistakes) = match Table::read(&file, &files::table_text(path)?) {
            Ok((_, warnings)) => (true, warnings.iter().map(mistake).collect()),
            Err(mistakes) => (false, mistakes.iter().map(mistake).collect()),
        };
        Ok(CheckedFile { file, good, mistakes })
    });
    let files = checked.into_iter().collect::<Result<Vec<_>, Failure>>()?;
    let good = files.iter().all(|file| file.good);
    session.output.show(&Checked { files })?;
    Ok(if good { Exit::Yes } else { Exit::No })
}

fn mistake(mistake: &Mistake) -> MistakeFace {
    MistakeFace {
        severity: if mistake.severity == Severity::Error { "error" } else { "warning" },
        line: mistake.line,
        column: mistake.column,
        says: mistake.says.clone(),
        help: mistake.help.clone(),
        rendered: mistake.render(true),
    }
}

fn graph(session: &Session, name: &str, exchange: Option<&str>, svg: bool) -> Result<Exit, Failure> {
    let table = session.tables.table(name)?;
    let graph = match exchange {
        None => Graph::of_states(&table),
        Some(exchange) => Graph::of_exchange(&table, exchange_of(&table, exchange)?),
    };
    session.output.write(&if svg { graph.svg() } else { graph.mermaid() })?;
    Ok(Exit::Yes)
}

fn exchange_of(table: &Table, name: &str) -> Result<ExchangeId, Failure> {
    let found = table.exchanges.iter().position(|exchange| &*exchange.name == name);
    found.map(ExchangeId).ok_or_else(|| {
        let near = nearest(name, table.exchanges.iter().map(|exchange| &*exchange.name));
        let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        Failure::Usage {
            sentence: format!("{} has no exchange `{name}`{near}", table.name),
            next: format!("`hsdiag protocols show {}` lists them", table.name),
        }
    })
}
