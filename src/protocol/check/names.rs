//! What is known to whom at each step of a talk: guards, sent fields, and names that nobody gives a value.
//!
//! A name counts as known when any way to the step may have given it a value; so nothing is told that is not certain.

use crate::frame::{At, Expr, Name, Path, nearest};
use crate::line::Direction;
use crate::protocol::each_path::each_path;
use crate::protocol::flash::{FLASH_NAMES, Flash, FlashRun};
use crate::protocol::model::Table;
use crate::protocol::talk::{Bind, Each, Effect, EffectKind, Message, Step, StepKind, Talk};

use super::calls::calls;
use super::flaw::Flaw;
use super::frame_ids::FrameIds;
use super::numbers::Numbers;
use super::reach::{called_by_runs, with_called};
use global::Global;
use spot::Spot;

mod called;
mod global;
mod spot;

pub(super) fn flaws(table: &Table, frames: &FrameIds<'_>) -> Vec<Flaw> {
    let mut global = Global::of(table, frames);
    let mut found = Vec::new();
    let spoken = with_called(table, called_by_runs(table));
    for (id, exchange) in table.exchanges_with_id() {
        let mut walk = Walk::new(table, &mut global, Spot::Exchange(id));
        // What no run calls is there for those who listen; a device answers it all the same.
        walk.host_speaks = spoken.contains(id.0);
        walk.known.host = walk.global.kept.clone();
        walk.known.device = walk.global.kept.clone();
        exchange.with.iter().for_each(|name| walk.host_learns(name));
        walk.talk(&exchange.talk);
        found.append(&mut walk.found);
    }
    let own_flaws: Vec<String> = found.iter().map(|flaw| flaw.says.clone()).collect();
    let runs = [
        (table.handshake.as_ref(), Spot::Handshake),
        (table.poll.as_ref().map(|(run, _)| run), Spot::Poll),
        (table.probe.as_ref().map(|probe| &probe.run), Spot::Probe),
    ];
    for (run, spot) in runs {
        let Some(run) = run else { continue };
        let mut walk = Walk { own_flaws: &own_flaws, ..Walk::new(table, &mut global, spot) };
        walk.talk(run);
        found.append(&mut walk.found);
    }
    for (run, talk) in table.flash.iter().flat_map(|flash| &flash.runs) {
        let mut walk = Walk { own_flaws: &own_flaws, ..Walk::new(table, &mut global, Spot::Flash(*run)) };
        FLASH_NAMES.into_iter().for_each(|name| walk.host_learns(name));
        if *run != FlashRun::Begin {
            // What the device told at the beginning is known in every other run.
            walk.host_learns("image");
            let kept = table.flash.iter().flat_map(|flash| kept_at_begin(table, flash));
            kept.for_each(|name| walk.host_learns(name));
        }
        walk.talk(talk);
        found.append(&mut walk.found);
    }
    found
}

/// Names that the exchanges of `[flash] begin` keep.
fn kept_at_begin<'t>(table: &'t Table, flash: &Flash) -> Vec<&'t Name> {
    let called = flash.run(FlashRun::Begin).map(calls).unwrap_or_default();
    let ids = called.iter().filter_map(|(name, _)| table.exchange_named(name)).map(|(id, _)| id).collect();
    with_called(table, ids).iter().flat_map(|id| &table.exchanges[id].keep).collect()
}

/// What may be known so far.
#[derive(Clone, Default)]
struct Known {
    host: Numbers,
    device: Numbers,
    /// Frames of which the fields can be read.
    frames: Numbers,
}

impl Known {
    fn join(&mut self, other: &Known) {
        self.host.join(&other.host);
        self.device.join(&other.device);
        self.frames.join(&other.frames);
    }
}

/// Who can know the value of a name.
#[derive(Clone, Copy, PartialEq)]
enum Knower {
    Both,
    Host,
    Device,
    /// A frame of the table that has not come yet.
    NotYet,
    Nobody,
}

struct Walk<'t, 'g> {
    table: &'t Table,
    global: &'g mut Global<'t>,
    spot: Spot,
    known: Known,
    depth: usize,
    host_speaks: bool,
    /// In a branch that is there for those who listen: whoever speaks takes an earlier one.
    is_aside: bool,
    /// Of a called exchange.
    arguments: &'t [Name],
    /// What is wrong in exchanges wherever they are called.
    own_flaws: &'g [String],
    found: Vec<Flaw>,
}

impl<'t, 'g> Walk<'t, 'g> {
    fn new(table: &'t Table, global: &'g mut Global<'t>, spot: Spot) -> Walk<'t, 'g> {
        Walk {
            table,
            global,
            spot,
            known: Known::default(),
            depth: 0,
            host_speaks: true,
            is_aside: false,
            arguments: &[],
            own_flaws: &[],
            found: Vec::new(),
        }
    }

    fn talk(&mut self, talk: &'t Talk) {
        for (index, step) in talk.steps.iter().enumerate() {
            match &step.kind {
                StepKind::Guard(condition) => {
                    // In a run the host decides.
                    let speaker =
                        if self.is_run() { Some(Direction::Tx) } else { next_speaker(&talk.steps[index..]) };
                    self.guard(condition, speaker);
                }
                _ => self.step(step),
            }
        }
    }

    fn step(&mut self, step: &'t Step) {
        match &step.kind {
            StepKind::Message(message) => self.message(message, step.at),
            StepKind::Call { exchange, arguments } => self.call(exchange, arguments, step.at),
            StepKind::Choice(branches) => self.choice(branches),
            StepKind::Times { body, .. } => self.talk(body),
            StepKind::Each(each) => self.each(each),
            StepKind::Inside(effects) => effects.iter().for_each(|effect| self.effect(effect)),
            StepKind::Goto(_) | StepKind::Phase(_) | StepKind::Again | StepKind::Guard(_) => {}
        }
    }

    /// Whoever speaks takes the first branch whose guard holds; what stands behind one without a guard is for those who listen.
    fn choice(&mut self, branches: &'t [Talk]) {
        let (before, was_aside) = (self.known.clone(), self.is_aside);
        let mut after = Known::default();
        for branch in branches {
            self.known = before.clone();
            self.talk(branch);
            after.join(&self.known);
            let is_guarded = matches!(branch.steps.first(), Some(Step { kind: StepKind::Guard(_), .. }));
            self.is_aside |= !is_guarded;
        }
        (self.known, self.is_aside) = (after, was_aside);
    }

    fn message(&mut self, message: &'t Message, at: At) {
        let Some(frame) = self.global.frame(&message.frame) else { return };
        for bind in &message.binds {
            self.bind(message, bind);
        }
        let is_spoken = self.host_speaks || message.direction == Direction::Rx;
        if is_spoken && !self.is_aside {
            let sends = message.direction == Direction::Tx;
            let has = |field| if sends { self.host_has(field) } else { self.device_has(field) };
            let lacks = |field: &Name| {
                let is_bound = message.binds.iter().any(|bind| bind.name == *field);
                !is_bound && !self.global.number_of(field).is_some_and(has)
            };
            let lacking = self.global.needed(frame).iter().copied().filter(|field| lacks(field));
            let lacking: Vec<&Name> = lacking.collect();
            lacking.into_iter().for_each(|field| self.unbound(message, field, at));
        }
        self.known.frames.insert(frame.0);
    }

    fn bind(&mut self, message: &Message, bind: &'t Bind) {
        let mut bare = bare(&bind.value);
        each_path(&bind.value, |path, path_at| {
            if self.is_named_value(&bind.name, &path.first) {
                bare = None;
            } else {
                self.bound(message.direction, bind, path, path_at, bare.is_some());
            }
        });
        if let Some(name) = bare {
            self.both_learn(name);
        }
    }

    /// A name that a field is made of; `is_all` where it is made of nothing else.
    fn bound(&mut self, direction: Direction, bind: &Bind, path: &Path, path_at: At, is_all: bool) {
        let (knower, field) = (self.knower(path), &bind.name);
        match (knower, direction == Direction::Tx) {
            (Knower::Both, _) | (Knower::Host, true) => {}
            (Knower::Nobody, false) if is_all => {}
            (Knower::Nobody | Knower::NotYet, _) => self.unknown(path, path_at, knower),
            (Knower::Device, true) => self.say(
                path_at,
                format!("`{}` is known to the device alone, and the host sends it", shown(path)),
            ),
            // The host takes what comes; the device needs its own way to the same value.
            (Knower::Device, false) => {}
            (Knower::Host, false)
                if self.global.number_of(field).is_some_and(|field| self.device_has(field)) => {}
            (Knower::Host, false) => {
                let says =
                    format!("only the host can compute `{field}`: the device never learns `{}`", shown(path));
                let help = "say how the device comes to it: `{ name = … }`, `[device.knows]`, or a frame of the host before it";
                self.found.push(Flaw::warning(self.spot.at(bind.at), says).with_help(help.to_string()));
            }
        }
    }

    /// Tells that a field takes what is called like it, and nobody has that.
    fn unbound(&mut self, message: &Message, field: &Name, at: At) {
        let (sender, help) = match message.direction {
            Direction::Tx => {
                ("host", format!("bind it, `{}({field} = …)`, or give it in [parameters]", message.frame))
            }
            Direction::Rx => (
                "device",
                format!("give it in [device.knows], bind it, or let the device find it: `{{ {field} = … }}`"),
            ),
        };
        let says =
            format!("the {sender} sends `{}` and nothing gives its field `{field}` a value", message.frame);
        self.found.push(Flaw::error(self.spot.at(at), says).with_help(help));
    }

    /// Whoever speaks next has to know whether the condition holds; the other side sees it from what is said.
    fn guard(&mut self, condition: &Expr, speaker: Option<Direction>) {
        each_path(condition, |path, at| match (self.knower(path), speaker) {
            (Knower::Device, _) if self.is_run() && self.is_kept(&path.first) => {
                self.unknown(path, at, Knower::Nobody);
            }
            (Knower::Device, Some(Direction::Tx)) => {
                let says =
                    format!("`{}` is known to the device alone, and the host decides here", shown(path));
                self.found.push(Flaw::warning(self.spot.at(at), says));
            }
            (Knower::Host, Some(Direction::Rx)) => {
                let says = format!(
                    "only the host can compute this: the device decides here and never learns `{}`",
                    shown(path)
                );
                self.found.push(Flaw::warning(self.spot.at(at), says));
            }
            (knower @ (Knower::Nobody | Knower::NotYet), _) => self.unknown(path, at, knower),
            _ => {}
        });
    }

    fn each(&mut self, each: &'t Each) {
        self.data(each);
        let (piece, data) = (self.global.number(&each.piece), self.global.number(&each.data));
        for known in [&mut self.known.host, &mut self.known.device] {
            known.insert(piece);
        }
        self.talk(&each.body);
        // These may look at what came within the round.
        self.readable(each.total.as_ref());
        self.readable(Some(&each.by));
        self.readable(each.next.as_ref());
        for known in [&mut self.known.host, &mut self.known.device] {
            known.remove(piece);
            known.insert(data);
        }
    }

    /// In a run somebody must have the data; in an exchange they may be gathered piece by piece.
    fn data(&mut self, each: &Each) {
        let path = Path { first: each.data.clone(), rest: None };
        if !self.is_run() || self.knower(&path) != Knower::Nobody {
            return;
        }
        self.unknown(&path, each.by.at, Knower::Nobody);
    }

    fn readable(&mut self, expr: Option<&Expr>) {
        let Some(expr) = expr else { return };
        each_path(expr, |path, at| {
            let knower = self.knower(path);
            if matches!(knower, Knower::Nobody | Knower::NotYet) {
                self.unknown(path, at, knower);
            }
        });
    }

    fn effect(&mut self, effect: &'t Effect) {
        match &effect.kind {
            EffectKind::Let { name, value } => {
                self.readable(Some(value));
                self.device_learns(name);
            }
            EffectKind::Write { address, data } => {
                self.readable(Some(address));
                self.readable(Some(data));
            }
            EffectKind::Erase { address, n } => {
                self.readable(Some(address));
                self.readable(Some(n));
            }
            EffectKind::ErasePages { pages, .. } => self.readable(Some(pages)),
            EffectKind::EraseAll { .. } => {}
        }
    }

    fn knower(&self, path: &Path) -> Knower {
        let name = &path.first;
        if matches!(&**name, "asked" | "last") {
            return Knower::Both;
        }
        let number = self.global.number_of(name);
        let host = number.is_some_and(|name| self.host_has(name));
        let device = number.is_some_and(|name| self.device_has(name));
        match (host, device) {
            (true, true) => Knower::Both,
            (true, false) => Knower::Host,
            (false, true) => Knower::Device,
            (false, false) => match self.global.frame(name) {
                Some(frame) if self.known.frames.contains(frame.0) => Knower::Both,
                Some(_) if path.rest.is_some() => Knower::NotYet,
                _ => Knower::Nobody,
            },
        }
    }

    fn is_run(&self) -> bool {
        !matches!(self.spot, Spot::Exchange(_))
    }

    fn host_has(&self, name: usize) -> bool {
        self.known.host.contains(name) || self.global.parameters.contains(name)
    }

    fn device_has(&self, name: usize) -> bool {
        self.known.device.contains(name)
            || self.global.parameters.contains(name)
            || self.global.device.contains(name)
    }

    fn is_kept(&self, name: &Name) -> bool {
        self.global.number_of(name).is_some_and(|name| self.global.kept.contains(name))
    }

    fn host_learns(&mut self, name: &'t str) {
        self.known.host.insert(self.global.number(name));
    }

    fn both_learn(&mut self, name: &'t str) {
        let name = self.global.number(name);
        self.known.host.insert(name);
        self.known.device.insert(name);
    }

    fn device_learns(&mut self, name: &'t str) {
        self.known.device.insert(self.global.number(name));
    }

    /// A name of `[values.FIELD]`, or of a lookup.
    fn is_named_value(&self, field: &Name, name: &Name) -> bool {
        self.table.lookups.contains_key(name)
            || self
                .table
                .values
                .get(field)
                .is_some_and(|values| values.iter().any(|value| value.name == *name))
    }

    fn unknown(&mut self, path: &Path, at: At, knower: Knower) {
        if self.table.lookups.contains_key(&path.first) {
            return;
        }
        let (says, help) = if self.arguments.contains(&path.first) {
            (format!("its argument `{}` is not given", path.first), None)
        } else if knower == Knower::NotYet {
            (
                format!("`{}` cannot be known yet: no frame `{}` has come before", shown(path), path.first),
                None,
            )
        } else if self.is_kept(&path.first) {
            let says = format!("`{}` cannot be known yet", path.first);
            (says, Some("call the exchange that keeps it before this step".to_string()))
        } else {
            let known = [&self.known.host, &self.known.device, &self.global.parameters, &self.global.device];
            let known = known.into_iter().flat_map(|set| self.global.names(set));
            (format!("nothing here is called `{}`", path.first), did_you_mean(&path.first, known))
        };
        self.found.push(Flaw::error(self.spot.at(at), says).with_help(help));
    }

    fn say(&mut self, at: At, says: String) {
        self.found.push(Flaw::error(self.spot.at(at), says));
    }
}

fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    nearest(word, known).map(|meant| format!("did you mean `{meant}`?"))
}

/// The name, if the expression is nothing else.
fn bare(expr: &Expr) -> Option<&Name> {
    match &expr.kind {
        crate::frame::ExprKind::Path(Path { first, rest: None }) => Some(first),
        _ => None,
    }
}

fn shown(path: &Path) -> String {
    match &path.rest {
        Some(rest) => format!("{}.{rest}", path.first),
        None => path.first.to_string(),
    }
}

/// Who sends the first message of these steps.
fn next_speaker(steps: &[Step]) -> Option<Direction> {
    steps.iter().find_map(|step| match &step.kind {
        StepKind::Message(message) => Some(message.direction),
        StepKind::Choice(branches) => branches.iter().find_map(|branch| next_speaker(&branch.steps)),
        StepKind::Times { body, .. } => next_speaker(&body.steps),
        StepKind::Each(each) => next_speaker(&each.body.steps),
        _ => None,
    })
}
