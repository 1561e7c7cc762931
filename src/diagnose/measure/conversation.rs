//! What the conversation made of it: frames that hold, frames that do not, refusals, answers that did not come.

use crate::frame::Name;
use crate::line::{Direction, Seen};
use crate::machine::{Item, ItemKind, Part, Unexpected};

use super::super::edges::breaks_off;
use super::super::evidence::Evidence;
use super::super::window::{Standing, Window, is_text};
use super::Otherwise;

/// Healthy replies of a conversation that is as long as any.
const MOST_FRAMES: usize = 48;

pub fn measure(window: &Window, otherwise: &Otherwise, evidence: &mut Evidence) {
    let received = window.received().filter(|heard| heard.event.value().is_some());
    let bytes = received.clone().count();
    let of = |standing: Standing| received.clone().filter(|heard| heard.standing == standing).count();
    evidence.share("healthy", of(Standing::Frame), bytes);
    evidence.number("at-a-loss", f64::from(u8::from(window.is_at_a_loss())));
    evidence.share("odd", of(Standing::Odd), bytes);
    evidence.share("damaged", of(Standing::Damaged), bytes);
    evidence.share("unexplained", of(Standing::Unexpected), bytes);
    let items = || window.items().filter(|item| item.direction == Direction::Rx);
    let frames = items().filter(|item| item.framed().is_some());
    let healthy = frames.clone().filter(|item| item.is_clean()).count();
    evidence.count_up_to("frames", healthy, MOST_FRAMES);
    evidence.count("frames-damaged", frames.clone().filter(|item| is_damaged(item)).count());
    // Damaged though the line reported nothing of it.
    let quietly = frames.clone().filter(|item| is_damaged(item) && item.faults.is_empty()).count();
    evidence.share("damaged-quietly", quietly, frames.clone().count());
    evidence.count("unexplained-runs", items().filter(|item| unexpected(item).is_some()).count());
    let sent = window.sent().count();
    let nothing = window.received().next().is_none();
    let asked = sent > 0 || otherwise.asked;
    evidence.number("asked", f64::from(u8::from(asked)));
    evidence.number("nothing-back", f64::from(u8::from(asked && nothing)));
    evidence.number("nothing-at-all", f64::from(u8::from(!asked && nothing)));
    let answered = window.received().any(|heard| heard.standing.is_healthy());
    evidence.details.silence = (asked && !answered).then(|| (sent, window.received().count()));
    let silences = window.items().filter(|item| matches!(item.kind, ItemKind::Silence(_))).count();
    let questions = window.items().filter(|i| i.direction == Direction::Tx && i.framed().is_some()).count();
    evidence.share("unanswered", silences.min(questions.max(silences)), questions.max(silences));
    let refusals = refusals(window, &otherwise.refusals, evidence);
    let clean = bytes > 0 && of(Standing::Frame) == bytes && silences == 0 && refusals == 0;
    evidence.number("all-clean", f64::from(u8::from(clean)));
    evidence.number("answered-clean", f64::from(u8::from(clean && questions > 0)));
    evidence.share("mended-by-a-bit", otherwise.mended.0, otherwise.mended.1);
    let (right, summed) = otherwise.summed;
    evidence.share("sums-right", right, summed);
    evidence.share("sums-wrong", summed - right, summed);
    weights(otherwise, evidence);
    places(window, evidence);
    endings(window, evidence);
    rates(window, evidence);
}

fn is_damaged(item: &Item) -> bool {
    item.framed().is_some_and(|framed| !framed.wrong.is_empty() && framed.part != Part::Foreign)
}

fn unexpected(item: &Item) -> Option<&Unexpected> {
    match &item.kind {
        ItemKind::Unexpected(unexpected) => Some(unexpected),
        _ => None,
    }
}

/// How well this protocol, another one, and the same one under other bits explain the bytes.
fn weights(otherwise: &Otherwise, evidence: &mut Evidence) {
    evidence.number("reversed", otherwise.reversed);
    evidence.number("complemented", otherwise.complemented);
    evidence.number("masked", otherwise.masked);
    let other = otherwise.other.as_ref().map_or(0.0, |other| other.weight - otherwise.own_weight.max(0.0));
    evidence.ratio("other", other.max(0.0), 0, 0);
    // A protocol of text explains more than that it is text: sums, fields, order.
    let text = otherwise.text_weight.max(otherwise.own_weight).max(0.0);
    let beyond = otherwise.other.as_ref().map_or(0.0, |other| other.weight - text);
    evidence.ratio("other-beyond-text", beyond.max(0.0), 0, 0);
    evidence.details.other_protocol = otherwise.other.clone().filter(|_| other > 0.0);
}

/// Healthy frames at the wrong moment, again, or answering somebody else.
fn places(window: &Window, evidence: &mut Evidence) {
    let items = || window.items().filter(|item| item.direction == Direction::Rx);
    let part = |wanted: fn(&Part) -> bool| {
        items().filter(|i| i.framed().is_some_and(|f| f.wrong.is_empty() && wanted(&f.part))).count()
    };
    // Who is asked the same again may answer the same again.
    let mut again = false;
    let (mut repeats, mut unasked) = (0, 0);
    for item in window.items() {
        let repeat = item.framed().is_some_and(|f| f.wrong.is_empty() && f.part == Part::Repeat);
        match item.direction {
            Direction::Tx => again = repeat,
            Direction::Rx if repeat => {
                repeats += usize::from(again);
                unasked += usize::from(!again);
            }
            Direction::Rx => {}
        }
    }
    evidence.count("repeats", unasked);
    evidence.count("repeats-asked", repeats);
    passed_over(window, evidence);
    spoilt_pieces(window, evidence);
    evidence.count("found", part(|part| *part == Part::Found));
    let whole = |item: &&Item| unexpected(item).is_some_and(|u| u.elsewhere.iter().any(|e| e.whole));
    evidence.count("out-of-place", items().filter(whole).count());
    // It is the frame that was waited for, whole, and only a value ties it to another request.
    let foreign = items().filter(|item| {
        let of_item = |u: &Unexpected| {
            u.elsewhere.iter().any(|e| e.whole && u.expected.iter().any(|expected| expected.frame == e.frame))
        };
        let is_foreign = item.framed().is_some_and(|framed| framed.part == Part::Foreign);
        is_foreign || unexpected(item).is_some_and(of_item)
    });
    evidence.count("foreign", foreign.count());
    let mut late = 0;
    let mut silent = false;
    for item in window.items() {
        match (&item.kind, item.direction) {
            (ItemKind::Silence(_), _) => silent = true,
            (_, Direction::Tx) => silent = false,
            (ItemKind::Frame(_) | ItemKind::Unexpected(_), Direction::Rx) => {
                late += usize::from(silent);
                silent = false;
            }
            _ => {}
        }
    }
    evidence.count("late", late);
}

/// Pieces that are no healthy frames.
fn spoilt_pieces(window: &Window, evidence: &mut Evidence) {
    let is_spoilt = |item: &&Item| {
        item.direction == Direction::Rx
            && match &item.kind {
                ItemKind::Frame(_) => is_damaged(item),
                ItemKind::Unexpected(_) | ItemKind::Break => true,
                ItemKind::Silence(_) | ItemKind::Settings { .. } => false,
            }
    };
    let spoilt = window.items().filter(is_spoilt).count();
    let pieces = window.items().filter(|item| !item.bytes.is_empty()).count();
    evidence.count("spoilt-pieces", spoilt);
    evidence.number("no-spoilt-piece", f64::from(u8::from(pieces > 2 && spoilt == 0)));
}

/// Questions after which the next one came, and no byte of an answer between them.
fn passed_over(window: &Window, evidence: &mut Evidence) {
    let (mut asked, mut passed) = (0, 0);
    let mut open = false;
    for item in window.items().filter(|item| !item.bytes.is_empty()) {
        if item.direction == Direction::Tx && item.framed().is_some() {
            asked += 1;
            passed += usize::from(open);
            open = true;
        } else {
            open = false;
        }
    }
    evidence.share("passed-over", passed, asked);
}

/// How often the device has refused.
fn refusals(window: &Window, frames: &[Name], evidence: &mut Evidence) -> usize {
    let mut count = 0;
    for item in window.items().filter(|item| item.direction == Direction::Rx) {
        let Some(framed) = item.framed().filter(|framed| framed.wrong.is_empty()) else { continue };
        let said = match &framed.part {
            Part::Refusal(said) => said.as_slice(),
            _ if frames.contains(&framed.frame) => &[],
            _ => continue,
        };
        count += 1;
        if evidence.details.refusals.len() < 4 {
            let words = said.iter().map(|said| format!("{}: {}", said.by, said.means));
            let words = words.collect::<Vec<_>>().join("; ");
            let words = if words.is_empty() { framed.frame.to_string() } else { words };
            if !evidence.details.refusals.contains(&words) {
                evidence.details.refusals.push(words);
            }
        }
    }
    evidence.count("refusals", count);
    count
}

/// Frames that break off, and what was lost before them.
fn endings(window: &Window, evidence: &mut Evidence) {
    let items = || window.items().filter(|item| item.direction == Direction::Rx);
    let broken_off = || items().filter(|item| breaks_off(item));
    evidence.count("broken-off", broken_off().count());
    let at_packet = broken_off().filter(|item| matches!(item.bytes.len() % 62, 0 | 60 | 61)).count();
    evidence.count("broken-off-at-packet", at_packet);
    let breaks = items().filter(|item| item.kind == ItemKind::Break).count();
    let events = window.received().count();
    evidence.share("break-share", breaks.min(events), events);
    let held = window.received().filter(|heard| heard.event.seen == Seen::Break).count();
    evidence.share("held-low", held, events);
}

/// Clean at several very different rates: the rate has no effect.
fn rates(window: &Window, evidence: &mut Evidence) {
    let mut clean: Vec<f64> = window
        .earlier
        .iter()
        .filter(|s| s.bytes >= 6 && s.faults * 20 <= s.bytes && (s.text.max(s.healthy)) * 20 >= s.bytes * 19)
        .map(|stretch| stretch.settings.baud.hz())
        .collect();
    let now = window.received().filter(|heard| heard.event.fault.is_none()).count();
    let text = window.received().filter(|h| h.event.value().is_some_and(is_text)).count();
    let healthy = window.received().filter(|heard| heard.standing == Standing::Frame).count();
    if now >= 6 && text.max(healthy) * 20 >= window.received().count() * 19 {
        clean.push(window.settings.baud.hz());
    }
    let far = clean.iter().any(|a| clean.iter().any(|b| (a / b).ln() > 0.26));
    evidence.number("clean-at-any-rate", f64::from(u8::from(far)));
    evidence.number("rates-heard", f64::from(u8::from(!window.earlier.is_empty())));
}
