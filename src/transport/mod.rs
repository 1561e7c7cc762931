//! Floor 5: where bytes come from and when. The only folder that opens ports and sockets, and reads the clock.

mod address;
mod clock;
mod port;
mod run;
mod sim_options;

pub use address::{ADDRESS_FORMS, Address, AddressError};
pub use clock::Clock;
pub use port::{Abilities, Formats, OnOpen, Port, PortError};
pub use run::{End, Ran, run};
pub use sim_options::{SIM_OPTIONS, SimOptions, Traffic};
