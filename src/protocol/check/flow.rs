//! Order within exchanges: who speaks, whether anybody does, and what a silence would mean.

use std::collections::BTreeSet;

use crate::line::Direction;
use crate::protocol::model::{ExchangeId, Table};

use super::flaw::{Flaw, Place};
use super::numbers::Numbers;
use super::positions::{Choice, MOST, Positions};

pub(super) fn flaws(table: &Table, all: &[Positions]) -> Vec<Flaw> {
    let mut found = Vec::new();
    let started: BTreeSet<ExchangeId> = table.states.iter().flat_map(|state| state.may.clone()).collect();
    for ((id, exchange), positions) in table.exchanges_with_id().zip(all) {
        if positions.overflown {
            let says =
                format!("exchange `{}` has more than {MOST} messages, its calls written out", exchange.name);
            found.push(Flaw::error(Place::Exchange(id), says));
            continue;
        }
        found.extend(idle_rounds(positions));
        found.extend(gotos(positions));
        found.extend(positions.choices.iter().filter_map(|choice| mixed(choice, positions)));
        if started.contains(&id) {
            if positions.empty {
                let says = format!("exchange `{}` can finish without a message", exchange.name);
                let help = "a state would start it over and over; every way through it needs a message";
                found.push(Flaw::error(Place::Exchange(id), says).with_help(help.to_string()));
            }
            found.extend(uncovered(positions));
        }
    }
    found
}

fn idle_rounds(positions: &Positions) -> impl Iterator<Item = Flaw> + '_ {
    positions.idle_rounds.iter().map(|place| {
        let says = "a round of this group can pass without a message, and the next one can as well";
        Flaw::error(*place, says.into())
            .with_help("every way through a group that comes again needs a message".to_string())
    })
}

fn gotos(positions: &Positions) -> impl Iterator<Item = Flaw> + '_ {
    positions.gotos_in_repeats.iter().map(|place| {
        let says = "the state changes in the middle of a repeat";
        Flaw::error(*place, says.into()).with_help("put the `->` behind the group".to_string())
    })
}

/// Nobody could tell whose turn it is.
fn mixed(choice: &Choice, positions: &Positions) -> Option<Flaw> {
    let all: Numbers = choice.branches.iter().flat_map(Numbers::iter).collect();
    let of =
        |direction| all.iter().map(|index| &positions.list[index]).find(move |p| p.direction == direction);
    let (sent, heard) = (of(Direction::Tx)?, of(Direction::Rx)?);
    let says = format!(
        "mixed choice: it begins with `> {}` of the host or with `< {}` of the device, and neither knows whose turn it is",
        sent.frame, heard.frame
    );
    let help =
        "all branches of a choice have to begin on one side; if silence decides, write `( … ) n..m times`";
    Some(Flaw::error(choice.place, says).with_help(help.to_string()))
}

/// A `>` behind which only more `>` come until the end: if the device is gone, nobody would find out.
fn uncovered(positions: &Positions) -> Vec<Flaw> {
    let sent = |index: &usize| positions.list[*index].direction == Direction::Tx;
    // Positions from which the end can be reached without hearing anything.
    let mut silent: Numbers = positions.last.iter().filter(sent).collect();
    loop {
        let more: Vec<usize> = (0..positions.list.len())
            .filter(|index| sent(index) && !silent.contains(*index))
            .filter(|index| positions.follow[*index].iter().any(|next| silent.contains(next)))
            .collect();
        if more.is_empty() {
            break;
        }
        silent.extend(more);
    }
    let is_uncovered = |index: &usize| {
        sent(index) && positions.follow[*index].iter().any(|next| next != *index && silent.contains(next))
    };
    let uncovered = (0..positions.list.len()).filter(is_uncovered).map(|index| {
        let position = &positions.list[index];
        let says = format!(
            "nothing covers the silence after `> {}`: no reply follows, and it is not the last step",
            position.frame
        );
        let help = "let a reply follow, or make each of these steps an exchange of its own";
        Flaw::error(position.place, says).with_help(help.to_string())
    });
    uncovered.collect()
}
