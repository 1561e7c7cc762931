//! Exchanges that a talk calls: what they are given, and what they learn.

use crate::frame::{At, Name};
use crate::protocol::each_path::each_path;
use crate::protocol::mistake::Severity;
use crate::protocol::model::Exchange;
use crate::protocol::talk::Argument;

use super::super::flaw::Flaw;
use super::{Knower, Known, Walk, bare, did_you_mean};

impl<'t> Walk<'t, '_> {
    /// A called exchange runs in a scope of its own; what it learns of its arguments comes back.
    pub(super) fn call(&mut self, name: &Name, arguments: &'t [Argument], at: At) {
        let Some((_, called)) = self.table.exchange_named(name) else { return };
        let mut inner =
            Known { host: self.known.host.clone(), device: self.known.device.clone(), ..Known::default() };
        for name in &called.with {
            let name = self.global.number(name);
            inner.host.remove(name);
            inner.device.remove(name);
        }
        let mut returned = Vec::new();
        for (index, argument) in arguments.iter().enumerate() {
            let Some(name) = argument.name.as_ref().or(called.with.get(index)) else {
                let says = format!("exchange `{}` takes {} arguments", called.name, called.with.len());
                self.found.push(Flaw::error(self.spot.at(argument.at), says));
                continue;
            };
            if !called.with.contains(name) {
                let says = format!("exchange `{}` takes no `{name}`", called.name);
                let help = did_you_mean(name, called.with.iter().map(|with| &**with));
                self.found.push(Flaw::error(self.spot.at(argument.at), says).with_help(help));
                continue;
            }
            let knower = self.argument(name, argument);
            let inside = self.global.number(name);
            if matches!(knower, Knower::Both | Knower::Host) {
                inner.host.insert(inside);
            }
            if matches!(knower, Knower::Both | Knower::Device) {
                inner.device.insert(inside);
            }
            returned.extend(bare(&argument.value).map(|given| (inside, given)));
        }
        let inner = self.called(called, inner, at);
        for (inside, given) in returned {
            if inner.host.contains(inside) {
                self.host_learns(given);
            }
            if inner.device.contains(inside) {
                self.device_learns(given);
            }
        }
        called.keep.iter().for_each(|kept| self.both_learn(kept));
        self.known.frames.join(&inner.frames);
    }

    /// Walks the talk of a called exchange for what it learns. Its own flaws are told where it stands, but what a run leaves out is the run's.
    fn called(&mut self, called: &'t Exchange, inner: Known, at: At) -> Known {
        // Calls do not circle here, but they may double at each level.
        const DEEPEST: usize = 6;
        if self.depth >= DEEPEST {
            return inner;
        }
        let mut walk = Walk {
            known: inner,
            depth: self.depth + 1,
            is_aside: self.is_aside,
            arguments: &called.with,
            own_flaws: self.own_flaws,
            ..Walk::new(self.table, self.global, self.spot)
        };
        walk.talk(&called.talk);
        let Walk { known, found, .. } = walk;
        // Its own flaws are told where it stands; a run adds what this very call leaves out.
        let missing = found
            .into_iter()
            .find(|flaw| flaw.severity == Severity::Error && !self.own_flaws.contains(&flaw.says));
        if let Some(missing) = missing.filter(|_| self.is_run()) {
            let says = format!("`{}` cannot run here: {}", called.name, missing.says);
            let help = "give it as an argument, or call before it what finds it out";
            self.found.push(Flaw::error(self.spot.at(at), says).with_help(help.to_string()));
        }
        known
    }

    /// Who knows an argument. A bare name that nobody knows is filled by the exchange.
    fn argument(&mut self, field: &Name, argument: &'t Argument) -> Knower {
        let mut knower = Knower::Both;
        each_path(&argument.value, |path, at| {
            if self.is_named_value(field, &path.first) {
                return;
            }
            match self.knower(path) {
                Knower::Both => {}
                Knower::Nobody if bare(&argument.value).is_some() => knower = Knower::Nobody,
                other @ (Knower::Nobody | Knower::NotYet) => {
                    self.unknown(path, at, other);
                    knower = Knower::Both;
                }
                other => knower = other,
            }
        });
        knower
    }
}
