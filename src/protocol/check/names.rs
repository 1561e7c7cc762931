//! What is known to whom at each step of a talk: guards, sent fields, and names that nobody gives a value.
//!
//! A name counts as known when any way to the step may have given it a value; so nothing is told that is not certain.

use crate::frame::{At, Expr, Name, Path, nearest};
use crate::line::Direction;
use crate::protocol::flash::{FLASH_NAMES, Flash, FlashRun};
use crate::protocol::model::{ExchangeId, Table};
use crate::protocol::talk::{Each, Effect, EffectKind, Message, Step, StepKind, Talk};

use super::calls::calls;
use super::few::Few;
use super::flaw::{Flaw, Place};
use super::reach::{called_by_runs, with_called};
use super::sent::needed;

mod called;

pub(super) fn flaws(table: &Table) -> Vec<Flaw> {
    let global = Global::of(table);
    let mut found = Vec::new();
    let spoken = with_called(table, called_by_runs(table));
    for (id, exchange) in table.exchanges_with_id() {
        let mut walk = Walk::new(table, &global, Spot::Exchange(id));
        // What no run calls is there for those who listen; a device answers it all the same.
        walk.host_speaks = spoken.contains(&id);
        walk.known.host = global.kept.clone();
        walk.known.host.extend(&exchange.with);
        walk.known.device = global.kept.clone();
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
        let mut walk = Walk { own_flaws: &own_flaws, ..Walk::new(table, &global, spot) };
        walk.talk(run);
        found.append(&mut walk.found);
    }
    let (flash_names, image) = (FLASH_NAMES.map(Name::new), Name::new("image"));
    for (run, talk) in table.flash.iter().flat_map(|flash| &flash.runs) {
        let mut walk = Walk { own_flaws: &own_flaws, ..Walk::new(table, &global, Spot::Flash(*run)) };
        walk.known.host.extend(&flash_names);
        if *run != FlashRun::Begin {
            // What the device told at the beginning is known in every other run.
            walk.known.host.insert(&image);
            walk.known.host.extend(table.flash.iter().flat_map(|flash| kept_at_begin(table, flash)));
        }
        walk.talk(talk);
        found.append(&mut walk.found);
    }
    found
}

/// Names that the exchanges of `[flash] begin` keep.
fn kept_at_begin<'t>(table: &'t Table, flash: &Flash) -> impl Iterator<Item = &'t Name> {
    let called = flash.run(FlashRun::Begin).map(calls).unwrap_or_default();
    let ids = called.iter().filter_map(|(name, _)| table.exchange_named(name)).map(|(id, _)| id).collect();
    with_called(table, ids).into_iter().flat_map(|id| &table.exchanges[id.0].keep)
}

/// Names that the whole table has.
struct Global<'t> {
    /// Kept by some exchange.
    kept: Few<&'t Name>,
    parameters: Few<&'t Name>,
    /// What only the device has from the start.
    device: Few<&'t Name>,
}

impl<'t> Global<'t> {
    fn of(table: &'t Table) -> Global<'t> {
        let of_chips = table.chips.iter().flat_map(|chip| chip.parameters.iter().map(|(name, _)| name));
        let parameters = table.parameters.iter().map(|parameter| &parameter.name).chain(of_chips);
        let cycles = table.device.cycles.iter().map(|(name, _)| name);
        Global {
            kept: table.exchanges.iter().flat_map(|exchange| &exchange.keep).collect(),
            parameters: parameters.collect(),
            device: table.device.knows.iter().map(|(name, _)| name).chain(cycles).collect(),
        }
    }
}

#[derive(Clone, Copy)]
enum Spot {
    Exchange(ExchangeId),
    Handshake,
    Poll,
    Probe,
    Flash(FlashRun),
}

impl Spot {
    fn at(self, at: At) -> Place {
        match self {
            Spot::Exchange(id) => Place::Talk(id, at),
            Spot::Handshake => Place::Handshake(at),
            Spot::Poll => Place::Poll(at),
            Spot::Probe => Place::Probe(at),
            Spot::Flash(run) => Place::Flash(run, at),
        }
    }
}

/// What may be known so far.
#[derive(Clone, Default)]
struct Known<'t> {
    host: Few<&'t Name>,
    device: Few<&'t Name>,
    /// Frames of which the fields can be read.
    frames: Few<&'t Name>,
}

impl<'t> Known<'t> {
    fn join(&mut self, other: &Known<'t>) {
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

struct Walk<'t> {
    table: &'t Table,
    global: &'t Global<'t>,
    spot: Spot,
    known: Known<'t>,
    depth: usize,
    host_speaks: bool,
    /// In a branch that is there for those who listen: whoever speaks takes an earlier one.
    is_aside: bool,
    /// Of a called exchange.
    arguments: &'t [Name],
    /// What is wrong in exchanges wherever they are called.
    own_flaws: &'t [String],
    found: Vec<Flaw>,
}

impl<'t> Walk<'t> {
    fn new(table: &'t Table, global: &'t Global<'t>, spot: Spot) -> Walk<'t> {
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
        let Some((_, frame)) = self.table.frame_named(&message.frame) else { return };
        for bind in &message.binds {
            self.bind(message, &bind.name, &bind.value, bind.at);
        }
        let is_spoken = self.host_speaks || message.direction == Direction::Rx;
        if is_spoken && !self.is_aside {
            let fields = needed(frame.layout());
            let bound = |field: &Name| message.binds.iter().any(|bind| bind.name == *field);
            for field in fields.iter().filter(|field| !bound(field)) {
                self.unbound(message, field, at);
            }
        }
        self.known.frames.insert(&message.frame);
    }

    fn bind(&mut self, message: &Message, field: &Name, value: &'t Expr, at: At) {
        let sends = message.direction == Direction::Tx;
        let bare = bare(value).filter(|name| !self.is_named_value(field, name));
        for (path, path_at) in value.paths() {
            if self.is_named_value(field, &path.first) {
                continue;
            }
            let knower = self.knower(path);
            match (knower, sends) {
                (Knower::Both, _) | (Knower::Host, true) => {}
                (Knower::Nobody, false) if bare.is_some() => {}
                (Knower::Nobody | Knower::NotYet, _) => self.unknown(path, path_at, knower),
                (Knower::Device, true) => self.say(
                    path_at,
                    format!("`{}` is known to the device alone, and the host sends it", shown(path)),
                ),
                // The host takes what comes; the device needs its own way to the same value.
                (Knower::Device, false) => {}
                (Knower::Host, false) if self.device_has(field) => {}
                (Knower::Host, false) => {
                    let place = self.spot.at(at);
                    let says = format!(
                        "only the host can compute `{field}`: the device never learns `{}`",
                        shown(path)
                    );
                    let help = "say how the device comes to it: `{ name = … }`, `[device.knows]`, or a frame of the host before it";
                    self.found.push(Flaw::warning(place, says).with_help(help.to_string()));
                }
            }
        }
        if let Some(name) = bare {
            self.known.host.insert(name);
            self.known.device.insert(name);
        }
    }

    /// A field that nobody binds takes what is called like it.
    fn unbound(&mut self, message: &Message, field: &Name, at: At) {
        let sender = if message.direction == Direction::Tx { "host" } else { "device" };
        let has = if sender == "host" { self.host_has(field) } else { self.device_has(field) };
        if !has {
            let says = format!(
                "the {sender} sends `{}` and nothing gives its field `{field}` a value",
                message.frame
            );
            let help = match sender {
                "host" => format!("bind it, `{}({field} = …)`, or give it in [parameters]", message.frame),
                _ => format!(
                    "give it in [device.knows], bind it, or let the device find it: `{{ {field} = … }}`"
                ),
            };
            self.found.push(Flaw::error(self.spot.at(at), says).with_help(help));
        }
    }

    /// Whoever speaks next has to know whether the condition holds; the other side sees it from what is said.
    fn guard(&mut self, condition: &Expr, speaker: Option<Direction>) {
        for (path, at) in condition.paths() {
            match (self.knower(path), speaker) {
                (Knower::Device, _) if self.is_run() && self.global.kept.contains(&&path.first) => {
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
            }
        }
    }

    fn each(&mut self, each: &'t Each) {
        self.data(each);
        for known in [&mut self.known.host, &mut self.known.device] {
            known.insert(&each.piece);
        }
        self.talk(&each.body);
        // These may look at what came within the round.
        self.readable(each.total.as_ref());
        self.readable(Some(&each.by));
        self.readable(each.next.as_ref());
        for known in [&mut self.known.host, &mut self.known.device] {
            known.remove(&&each.piece);
            known.insert(&each.data);
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
        for (path, at) in expr.into_iter().flat_map(Expr::paths) {
            let knower = self.knower(path);
            if matches!(knower, Knower::Nobody | Knower::NotYet) {
                self.unknown(path, at, knower);
            }
        }
    }

    fn effect(&mut self, effect: &'t Effect) {
        match &effect.kind {
            EffectKind::Let { name, value } => {
                self.readable(Some(value));
                self.known.device.insert(name);
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
        let (host, device) = (self.host_has(name), self.device_has(name));
        match (host, device) {
            (true, true) => Knower::Both,
            (true, false) => Knower::Host,
            (false, true) => Knower::Device,
            (false, false) if self.known.frames.contains(&name) => Knower::Both,
            (false, false) if path.rest.is_some() && self.table.frame_named(name).is_some() => Knower::NotYet,
            (false, false) => Knower::Nobody,
        }
    }

    fn is_run(&self) -> bool {
        !matches!(self.spot, Spot::Exchange(_))
    }

    fn host_has(&self, name: &Name) -> bool {
        self.known.host.contains(&name) || self.global.parameters.contains(&name)
    }

    fn device_has(&self, name: &Name) -> bool {
        self.known.device.contains(&name)
            || self.global.parameters.contains(&name)
            || self.global.device.contains(&name)
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
        } else if self.global.kept.contains(&&path.first) {
            let says = format!("`{}` cannot be known yet", path.first);
            (says, Some("call the exchange that keeps it before this step".to_string()))
        } else {
            let known = self.known.host.iter().chain(self.known.device.iter());
            let known = known.chain(self.global.parameters.iter()).chain(self.global.device.iter());
            let known = known.map(|name| &**name);
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
