//! What a file gives away by its first look.

/// Office documents and archives are ZIP files.
const ZIP_ENTRY: &[u8] = b"PK\x03\x04";
const ZIP_DIRECTORY: &[u8] = b"PK\x01\x02";
const SEVEN_ZIP: &[u8] = &[0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c];
const RAR: &[u8] = &[0x52, 0x61, 0x72, 0x21, 0x1a, 0x07];
/// Compound File Binary Format ([MS-CFB] §2.2).
const CFBF: &[u8] = &[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
/// Entries of a ZIP file looked at.
const MAX_ENTRIES: usize = 4096;

/// Whether `file` holds macros: an OOXML document with a VBA project, or an OLE document with VBA
/// storage.
pub(super) fn has_macros(file: &[u8]) -> bool {
    if file.starts_with(CFBF) {
        return names(file, "_VBA_PROJECT") || names(file, "VBA");
    }
    file.starts_with(ZIP_ENTRY)
        && entries(file).any(|(name, _)| name.to_ascii_lowercase().ends_with(b"vbaproject.bin"))
}

/// Whether `file` is locked by a password.
pub(super) fn is_encrypted(file: &[u8]) -> bool {
    if file.starts_with(CFBF) {
        return names(file, "EncryptedPackage");
    }
    if file.starts_with(SEVEN_ZIP) || file.starts_with(RAR) {
        return true;
    }
    file.starts_with(ZIP_ENTRY) && entries(file).any(|(_, flags)| flags & 1 != 0)
}

/// Whether a compound file has an entry called `name`: directory entries hold it in UTF-16 with a
/// NUL after it.
fn names(file: &[u8], name: &str) -> bool {
    let wide: Vec<u8> = name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    // An entry is 128 bytes and begins with its name ([MS-CFB] §2.6.1).
    file.chunks(128).any(|entry| entry.starts_with(&wide))
}

/// Names and flags of the entries of a ZIP file, from its directory and from the entries themselves.
fn entries(file: &[u8]) -> impl Iterator<Item = (&[u8], u16)> {
    let starts = file.windows(4).enumerate().filter_map(|(at, four)| {
        let (flags, length, name) = match four {
            ZIP_ENTRY => (6, 26, 30),
            ZIP_DIRECTORY => (8, 28, 46),
            _ => return None,
        };
        let entry = file.get(at..)?;
        let number = |from: usize| {
            entry.get(from..)?.first_chunk::<2>().map(|bytes| u16::from_le_bytes(*bytes))
        };
        let length = usize::from(number(length)?);
        Some((entry.get(name..name + length)?, number(flags)?))
    });
    starts.take(MAX_ENTRIES)
}
