//! Floor 5: where bytes come from and when. The only folder that opens ports and sockets, and reads the clock.

mod address;
mod clock;
#[cfg(target_os = "linux")]
mod driver_calls;
#[cfg(target_os = "linux")]
mod drivers;
mod faulty;
#[cfg(any(test, windows))]
mod lsrmst;
mod open;
#[cfg(any(test, unix))]
mod parmrk;
mod port;
mod ports;
#[cfg(target_os = "linux")]
mod pty_device;
mod reopen;
mod replay;
mod rfc2217;
mod rfc2217_device;
mod run;
#[cfg(target_os = "linux")]
mod serial_linux;
#[cfg(all(unix, not(target_os = "linux")))]
mod serial_macos;
#[cfg(windows)]
mod serial_windows;
mod serve;
mod sim;
mod sim_options;
#[cfg(target_os = "linux")]
mod sysfs;
mod tap;
mod tcp;
mod tcp_device;
mod telnet;
#[cfg(feature = "tls")]
mod tls;
mod websocket;
#[cfg(windows)]
mod windows_calls;
#[cfg(windows)]
mod windows_devices;

pub use address::{ADDRESS_FORMS, Address, AddressError};
pub use clock::Clock;
pub use faulty::{Faulty, Spoil};
pub use open::{DeviceSource, open};
pub use port::{Abilities, Formats, OnOpen, Port, PortError};
pub use ports::{Change, PortEntry, UsbIdentity, changes, ports};
#[cfg(target_os = "linux")]
pub use pty_device::PtyDevice;
pub use replay::Replay;
pub use rfc2217::Rfc2217Port;
pub use rfc2217_device::Rfc2217Device;
pub use run::{End, Ran, other_rate, run, watch};
#[cfg(target_os = "linux")]
pub use serial_linux::SerialPort;
#[cfg(all(unix, not(target_os = "linux")))]
pub use serial_macos::SerialPort;
#[cfg(windows)]
pub use serial_windows::SerialPort;
pub use serve::{Face, serve};
pub use sim::{SimDevice, SimLine, SimPort};
pub use sim_options::{SIM_OPTIONS, SimOptions, Traffic};
pub use tap::Tap;
pub use tcp::{Stream, StreamPort, TcpPort};
pub use tcp_device::TcpDevice;
pub use websocket::{Place, Socket};
