//! Where a simulated device can be reached.

use serde::Serialize;

use super::escape::{escaped, quoted};
use super::paint::{COMMAND, FAINT, STRONG};
use super::{Page, Report};

/// A device that waits for its host.
#[derive(Clone, Debug, Serialize)]
pub struct Simulated {
    pub device: String,
    pub title: String,
    pub baud: u32,
    pub format: String,
    /// What to give to hsdiag: "/dev/pts/5", "tcp://127.0.0.1:4001".
    pub address: String,
    /// The link to the pseudo-terminal, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Report for Simulated {
    const SCHEMA: &'static str = "hsdiag.simulate/1";

    fn text(&self, page: &mut Page) {
        let Simulated { device, title, baud, format, address, link } = self;
        page.line(format_args!(
            "{STRONG}{}{STRONG:#} ({}) at {baud} {format} on {STRONG}{}{STRONG:#}",
            escaped(device),
            escaped(title),
            escaped(address)
        ));
        let target = link.as_deref().unwrap_or(address);
        if let Some(link) = link {
            page.line(format_args!("linked as {}", escaped(link)));
        }
        page.line(format_args!(
            "{COMMAND}hsdiag sweep {}{COMMAND:#}  {FAINT}in another terminal; Ctrl-C here ends it{FAINT:#}",
            quoted(target)
        ));
    }
}
