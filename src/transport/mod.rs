//! Floor 5: where bytes come from and when. The only folder that opens ports and sockets, and reads the clock.

mod address;
mod clock;
mod faulty;
mod port;
mod replay;
mod run;
mod sim;
mod sim_options;
mod tap;

pub use address::{ADDRESS_FORMS, Address, AddressError};
pub use clock::Clock;
pub use faulty::{Faulty, Spoil};
pub use port::{Abilities, Formats, OnOpen, Port, PortError};
pub use replay::Replay;
pub use run::{End, Ran, run};
pub use sim::{SimDevice, SimLine, SimPort};
pub use sim_options::{SIM_OPTIONS, SimOptions, Traffic};
pub use tap::Tap;
