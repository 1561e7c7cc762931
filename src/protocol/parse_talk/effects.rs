//! `{ … }`: what the device does inside.

use super::tokens::{Tokens, mistake};
use crate::frame::{Expr, ExprKind, Mistake, Name};
use crate::protocol::talk::{Effect, EffectKind};

impl Tokens<'_> {
    /// What follows a `{`, up to and with its `}`.
    pub(super) fn effects(&mut self) -> Result<Vec<Effect>, Mistake> {
        let mut effects = Vec::new();
        while !self.scan.take("}") {
            let from = self.scan.at();
            let kind = self.effect()?;
            effects.push(Effect { at: self.scan.since(from), kind });
            self.scan.take(";");
        }
        Ok(effects)
    }

    pub(super) fn effect(&mut self) -> Result<EffectKind, Mistake> {
        let expected = "`name = …`, `write(address, data)`, `erase(address, n)`, `erase_all`, `erase_page(pages, \"region\")` or `}`";
        let Some((name, at)) = self.scan.name() else { return Err(self.scan.expected(expected)) };
        if self.takes_equals() {
            return Ok(EffectKind::Let { name, value: Expr::read(&mut self.scan)? });
        }
        let mut args = Vec::new();
        if self.scan.touches('(') {
            self.scan.advance(1);
            args = self.list(")", |reader| Expr::read(&mut reader.scan))?;
        }
        let count = args.len();
        let mut args = args.into_iter();
        match (&*name, count, args.next(), args.next()) {
            ("write", 2, Some(address), Some(data)) => Ok(EffectKind::Write { address, data }),
            ("erase", 2, Some(address), Some(n)) => Ok(EffectKind::Erase { address, n }),
            ("erase_all", 0, ..) => Ok(EffectKind::EraseAll { region: None }),
            ("erase_all", 1, Some(region), _) => {
                Ok(EffectKind::EraseAll { region: Some(region_name(&region)?) })
            }
            ("erase_page", 2, Some(pages), Some(region)) => {
                Ok(EffectKind::ErasePages { pages, region: region_name(&region)? })
            }
            ("write" | "erase" | "erase_all" | "erase_page", ..) => {
                let says = format!("`{name}` with {count} arguments; expected {expected}");
                Err(mistake(at, says))
            }
            _ => Err(mistake(at, format!("a device does not `{name}`; expected {expected}"))),
        }
    }
}

fn region_name(region: &Expr) -> Result<Name, Mistake> {
    match &region.kind {
        ExprKind::Text(text) => Ok(Name::new(&String::from_utf8_lossy(text))),
        _ => Err(mistake(
            region.at,
            "expected a memory region in quotes, such as `erase_all(\"flash\")`".into(),
        )),
    }
}
