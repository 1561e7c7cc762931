//! A conversation that hsdiag had a part in: the host's items instead of a recording.

use std::sync::Arc;

use crate::line::{LineErrors, LineEvent, Seen, Settings, Span};
use crate::machine::{Env, Item, ItemKind, Program, Vocabulary};
use crate::protocol::Table;

use super::alternatives::{self, Reread};
use super::engine::Hearing;
use super::journal::Journal;
use super::measure::{Otherwise, measure};
use super::model::Model;
use super::posterior::Diagnosis;

/// Why a conversation that was played went as it did.
///
/// Within an item the times of its bytes are spread evenly; that is what a UART does. `others` gives the tables that may be there
/// instead; it is asked only if this one explains little. What was sent is this protocol's: theirs is what came back.
pub fn diagnose_played(
    items: &[Item],
    table: &Arc<Table>,
    heard: Hearing,
    others: &dyn Fn() -> Vec<Arc<Program>>,
) -> Diagnosis {
    let mut journal = Journal::new(heard.settings, heard.line_errors, heard.uncertainty, false);
    for item in items {
        if let ItemKind::Settings { settings, .. } = item.kind {
            journal.on_settings(settings);
            continue;
        }
        events(item).for_each(|event| journal.on_event(&event));
        journal.on_item(item.clone());
    }
    let window = journal.window();
    let own = Arc::new(Program::compile(Arc::clone(table)));
    let told = alternatives::told(&own, &Vocabulary::of(&own), &window);
    let otherwise = match window.is_in_doubt() {
        false => told,
        true => {
            let mut programs = others();
            programs.retain(|other| other.table().name != table.name);
            let heard = Hearing { settings: window.settings, ..heard };
            Reread { own: &own, env: &Env::new(), heard }.beside(told, &window, &programs).0
        }
    };
    Diagnosis::of(measure(&window, &otherwise), &[], Model::shipped())
}

/// Why nothing came back at all, however it was asked.
pub fn diagnose_silence(settings: Settings, line_errors: LineErrors, uncertainty: Span) -> Diagnosis {
    let window = Journal::new(settings, line_errors, uncertainty, false).window();
    let otherwise = Otherwise { asked: true, ..Otherwise::default() };
    Diagnosis::of(measure(&window, &otherwise), &[], Model::shipped())
}

fn events(item: &Item) -> impl Iterator<Item = LineEvent> + '_ {
    let steps = item.bytes.len().saturating_sub(1).max(1) as u32;
    let step = (item.at - item.from) / steps;
    let bytes = item.bytes.iter().enumerate().map(move |(place, byte)| {
        let at = item.from + step * (place as u32).min(steps);
        let fault = item.faults.iter().find(|(of, _)| *of == place).map(|(_, fault)| *fault);
        LineEvent { at, direction: item.direction, seen: Seen::Byte(*byte), fault }
    });
    let held = matches!(item.kind, ItemKind::Break);
    let held =
        held.then_some(LineEvent { at: item.at, direction: item.direction, seen: Seen::Break, fault: None });
    bytes.chain(held)
}
