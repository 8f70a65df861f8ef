//! Message numbers and reason codes (RFC 4250 §4).

pub(super) const DISCONNECT: u8 = 1;
pub(super) const IGNORE: u8 = 2;
pub(super) const UNIMPLEMENTED: u8 = 3;
pub(super) const DEBUG: u8 = 4;
pub(super) const SERVICE_REQUEST: u8 = 5;
pub(super) const SERVICE_ACCEPT: u8 = 6;
pub(super) const EXT_INFO: u8 = 7;
pub(super) const KEXINIT: u8 = 20;
pub(super) const NEWKEYS: u8 = 21;
/// `SSH_MSG_KEXDH_INIT` and `SSH_MSG_KEX_ECDH_INIT`.
pub(super) const KEX_INIT: u8 = 30;
/// Its reply; in a group exchange the group.
pub(super) const KEX_REPLY: u8 = 31;
pub(super) const KEX_GEX_INIT: u8 = 32;
pub(super) const KEX_GEX_REPLY: u8 = 33;
pub(super) const KEX_GEX_REQUEST: u8 = 34;
/// Last of the transport layer's numbers.
pub(super) const TRANSPORT_MAX: u8 = 49;
pub(super) const USERAUTH_REQUEST: u8 = 50;
pub(super) const USERAUTH_FAILURE: u8 = 51;
pub(super) const USERAUTH_SUCCESS: u8 = 52;
pub(super) const USERAUTH_INFO_REQUEST: u8 = 60;
pub(super) const USERAUTH_INFO_RESPONSE: u8 = 61;
pub(super) const GLOBAL_REQUEST: u8 = 80;
pub(super) const REQUEST_SUCCESS: u8 = 81;
pub(super) const REQUEST_FAILURE: u8 = 82;
pub(super) const CHANNEL_OPEN: u8 = 90;
pub(super) const CHANNEL_OPEN_CONFIRMATION: u8 = 91;
pub(super) const CHANNEL_OPEN_FAILURE: u8 = 92;
pub(super) const CHANNEL_WINDOW_ADJUST: u8 = 93;
pub(super) const CHANNEL_DATA: u8 = 94;
pub(super) const CHANNEL_EXTENDED_DATA: u8 = 95;
pub(super) const CHANNEL_EOF: u8 = 96;
pub(super) const CHANNEL_CLOSE: u8 = 97;
pub(super) const CHANNEL_REQUEST: u8 = 98;
pub(super) const CHANNEL_SUCCESS: u8 = 99;
pub(super) const CHANNEL_FAILURE: u8 = 100;
/// First number of local extensions, which OpenSSH does not take.
pub(super) const LOCAL_MIN: u8 = 192;

/// `SSH_DISCONNECT_PROTOCOL_ERROR`, the one code OpenSSH's server sends.
pub(super) const PROTOCOL_ERROR: u32 = 2;
/// `SSH_OPEN_CONNECT_FAILED`, OpenSSH's reason for every channel it does not open.
pub(super) const CONNECT_FAILED: u32 = 2;
/// `SSH_EXTENDED_DATA_STDERR`.
pub(super) const STDERR: u32 = 1;
