//! Captures of real devices decode as their protocol, whole and with valid checksums; what does not is listed with its reason.

#[path = "captures/atr.rs"]
mod atr;
#[path = "captures/bm13xx.rs"]
mod bm13xx;
#[path = "captures/dlt645.rs"]
mod dlt645;
#[path = "captures/gdw376.rs"]
mod gdw376;
#[path = "captures/hdlc.rs"]
mod hdlc;
#[path = "captures/iec104.rs"]
mod iec104;
#[path = "captures/mbus.rs"]
mod mbus;
#[path = "captures/modbus_rtu.rs"]
mod modbus_rtu;
#[path = "captures/sensors.rs"]
mod sensors;
#[path = "captures/stc_isp.rs"]
mod stc_isp;
#[path = "captures/ubx_nmea.rs"]
mod ubx_nmea;

#[path = "support/decoded.rs"]
mod decoded;
#[path = "support/shared_data.rs"]
mod shared_data;
