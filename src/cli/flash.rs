//! `hsdiag flash`: gets firmware in, proves that it is in, and says why not.

mod arguments;
mod consent;
mod find;
mod play;
mod shown;

use clap::{Args, Subcommand};

use crate::flash::Action;

use super::args::exit_codes;
use super::failure::{Exit, Failure};
use super::session::Session;
use arguments::{Device, File, Image, Read};
use play::{Job, Wanted};

/// Write firmware into a device through its bootloader, verify it, read it back
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = concat!(
        "`flash PORT FILE` writes and verifies. Nothing is sent before the image and the plan are known good.
Nothing is erased or written before you have said yes. Files: raw binary, HEX, S-records, ELF, UF2.

Examples:
  hsdiag flash /dev/ttyUSB0 firmware.hex --protocol stm32
  hsdiag flash COM3 firmware.bin --protocol stm32 --dry-run      the whole plan
  hsdiag flash /dev/ttyUSB0 app.bin --protocol esp-rom --base 0x10000 --baud 921600
  hsdiag flash /dev/ttyUSB0 firmware.hex --protocol stm32 --resume --yes      goes on
  hsdiag flash read /dev/ttyUSB0 --protocol stk500v1 -o backup.bin
  hsdiag flash info /dev/ttyUSB0 --protocol stm32
  hsdiag flash sim://stm32 firmware.bin --protocol stm32 --yes      without hardware

",
        exit_codes!()
    )
)]
pub struct Flash {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    device: Option<Device>,
    #[command(flatten)]
    file: Option<File>,
}

#[derive(Subcommand)]
enum What {
    /// Write, without verifying
    Write(Image),
    /// Compare what the device holds with a file
    Verify(Image),
    /// Read what the device holds into a file
    Read(Read),
    /// Erase everything
    Erase(Device),
    /// Which chip it is, and what it tells
    Info(Device),
    /// Start the application
    Go(Device),
}

impl Flash {
    pub fn run(self, session: &Session) -> Result<Exit, Failure> {
        let of_image = |action, Image { device, file }| Job { action, device, wanted: Wanted::Image(file) };
        let job = match (self.what, self.device.zip(self.file)) {
            (None, Some((device, file))) => of_image(Action::Flash, Image { device, file }),
            (Some(What::Write(image)), _) => of_image(Action::Write, image),
            (Some(What::Verify(image)), _) => of_image(Action::Verify, image),
            (Some(What::Read(read)), _) => Job {
                action: Action::Read(read.range()?),
                device: read.device,
                wanted: Wanted::Output { path: read.output, force: read.force },
            },
            (Some(What::Erase(device)), _) => Job { action: Action::Erase, device, wanted: Wanted::Nothing },
            (Some(What::Info(device)), _) => Job { action: Action::Info, device, wanted: Wanted::Nothing },
            (Some(What::Go(device)), _) => Job { action: Action::Go, device, wanted: Wanted::Nothing },
            (None, None) => {
                return Err(Failure::Usage {
                    sentence: "a port and a file are wanted".into(),
                    next: "`hsdiag flash PORT FILE --protocol NAME`; `hsdiag flash --help` shows the rest"
                        .into(),
                });
            }
        };
        job.run(session)
    }
}
