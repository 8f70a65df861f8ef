//! Answers of one line or few, by what is to be said.

use decoys_host::fs::Errno;
use decoys_host::persona::FtpServer::{self, ProFtpd, PureFtpd, Vsftpd};

/// What is to be said. Names are as the client gave them.
#[derive(Clone, Copy, Debug)]
pub(in crate::ftp) enum Say<'a> {
    /// A login comes first.
    LoginFirst,
    /// `PASS` without `USER`.
    UserFirst,
    /// The password of the user is asked.
    Password {
        user: &'a str,
        anonymous: bool,
    },
    /// Let in.
    LoggedIn {
        user: &'a str,
        home: &'a str,
        anonymous: bool,
    },
    /// Not let in.
    LoginFailed,
    /// Already in, and asks again.
    AlreadyIn,
    /// No such command.
    Unknown {
        verb: &'a str,
    },
    /// A command that is known and does nothing.
    NotImplemented {
        verb: &'a str,
    },
    Directory(&'a str),
    Changed {
        path: &'a str,
    },
    NotChanged {
        path: &'a str,
        errno: Errno,
    },
    Made {
        path: &'a str,
    },
    NotMade {
        path: &'a str,
        errno: Errno,
    },
    DirectoryRemoved,
    DirectoryNotRemoved {
        path: &'a str,
        errno: Errno,
    },
    Deleted {
        path: &'a str,
    },
    NotDeleted {
        path: &'a str,
        errno: Errno,
    },
    RenameFrom,
    NoRenameFrom {
        path: &'a str,
        errno: Errno,
    },
    RenameFirst,
    Renamed,
    NotRenamed {
        path: &'a str,
        errno: Errno,
    },
    Noop,
    Allocated,
    Type {
        letter: char,
    },
    BadType {
        argument: &'a str,
    },
    Mode,
    BadMode {
        argument: &'a str,
    },
    Structure,
    BadStructure {
        argument: &'a str,
    },
    Restart {
        at: u64,
    },
    BadRestart,
    NoSize {
        path: &'a str,
        errno: Errno,
    },
    NoTime {
        path: &'a str,
        errno: Errno,
    },
    TimeSet {
        stamp: &'a str,
        path: &'a str,
    },
    /// `h1,h2,h3,h4,p1,p2`.
    Passive {
        address: &'a str,
    },
    ExtendedPassive {
        port: u16,
    },
    ExtendedOnly,
    BadProtocol,
    NoPort,
    Active {
        verb: &'a str,
    },
    /// A port below 1024 or another's address.
    IllegalPort {
        verb: &'a str,
        ip: &'a str,
        client: &'a str,
        low: bool,
    },
    BadPort {
        verb: &'a str,
    },
    /// There is no data connection to use.
    NoChannel,
    /// The client did not come.
    NotConnected,
    /// Somebody else did.
    WrongClient,
    ListBegins {
        verb: &'a str,
    },
    ListDone {
        verb: &'a str,
        count: usize,
        all: bool,
    },
    DownloadBegins {
        path: &'a str,
        size: u64,
        binary: bool,
    },
    NoDownload {
        path: &'a str,
        errno: Errno,
    },
    UploadBegins {
        path: &'a str,
        binary: bool,
        unique: bool,
    },
    NoUpload {
        path: &'a str,
        errno: Errno,
    },
    Done {
        bytes: u64,
        micros: u64,
    },
    Broken,
    DiskFull,
    NothingToAbort,
    Aborted,
    Utf8,
    BadOption,
    BadSite {
        argument: &'a str,
    },
    ModeSet {
        path: &'a str,
    },
    ModeNotSet {
        path: &'a str,
        errno: Errno,
    },
    Umask,
    /// No hands were shaken on the data connection.
    NotSecured,
    Idle,
    TooLong,
    Bye {
        sent: u64,
        received: u64,
    },
}

/// How `server` says it.
pub(in crate::ftp) fn say(server: FtpServer, what: Say<'_>) -> String {
    match server {
        Vsftpd => vsftpd(what),
        ProFtpd => proftpd(what),
        PureFtpd => pureftpd(what),
    }
}

fn vsftpd(what: Say<'_>) -> String {
    match what {
        Say::LoginFirst => "530 Please login with USER and PASS.",
        Say::UserFirst => "503 Login with USER first.",
        Say::Password { .. } => "331 Please specify the password.",
        Say::LoggedIn { .. } => "230 Login successful.",
        Say::LoginFailed => "530 Login incorrect.",
        Say::AlreadyIn => "530 Can't change to another user.",
        Say::Unknown { .. } => "500 Unknown command.",
        Say::NotImplemented { verb } => return format!("502 {verb} not implemented."),
        Say::Directory(path) => return format!("257 \"{path}\" is the current directory"),
        Say::Changed { .. } => "250 Directory successfully changed.",
        Say::NotChanged { .. } => "550 Failed to change directory.",
        Say::Made { path } => return format!("257 \"{path}\" created"),
        Say::NotMade { .. } => "550 Create directory operation failed.",
        Say::DirectoryRemoved => "250 Remove directory operation successful.",
        Say::DirectoryNotRemoved { .. } => "550 Remove directory operation failed.",
        Say::Deleted { .. } => "250 Delete operation successful.",
        Say::NotDeleted { .. } => "550 Delete operation failed.",
        Say::RenameFrom => "350 Ready for RNTO.",
        Say::NoRenameFrom { .. } => "550 RNFR command failed.",
        Say::RenameFirst => "503 RNFR required first.",
        Say::Renamed => "250 Rename successful.",
        Say::NotRenamed { .. } => "550 Rename failed.",
        Say::Noop => "200 NOOP ok.",
        Say::Allocated => "202 ALLO command ignored.",
        Say::Type { letter: 'A' } => "200 Switching to ASCII mode.",
        Say::Type { .. } => "200 Switching to Binary mode.",
        Say::BadType { .. } => "500 Unrecognised TYPE command.",
        Say::Mode => "200 Mode set to S.",
        Say::BadMode { .. } => "504 Bad MODE command.",
        Say::Structure => "200 Structure set to F.",
        Say::BadStructure { .. } => "504 Bad STRU command.",
        Say::Restart { at } => return format!("350 Restart position accepted ({at})."),
        Say::BadRestart => "350 Restart position accepted (0).",
        Say::NoSize { .. } => "550 Could not get file size.",
        Say::NoTime { .. } => "550 Could not get file modification time.",
        Say::TimeSet { .. } => "213 File modification time set.",
        Say::Passive { address } => return format!("227 Entering Passive Mode ({address})."),
        Say::ExtendedPassive { port } => {
            return format!("229 Entering Extended Passive Mode (|||{port}|)");
        }
        Say::ExtendedOnly => "200 EPSV ALL ok.",
        Say::BadProtocol => "522 Bad network protocol.",
        Say::NoPort => "425 Failed to establish connection.",
        Say::Active { verb } => {
            let passive = if verb == "EPRT" { "EPSV" } else { "PASV" };
            return format!("200 {verb} command successful. Consider using {passive}.");
        }
        Say::IllegalPort { verb, .. } => return format!("500 Illegal {verb} command."),
        Say::BadPort { verb: "EPRT" } => "500 Bad EPRT command.",
        Say::BadPort { .. } => "500 Illegal PORT command.",
        Say::NoChannel => "425 Use PORT or PASV first.",
        Say::NotConnected => "425 Failed to establish connection.",
        Say::WrongClient => "425 Security: Bad IP connecting.",
        Say::ListBegins { .. } => "150 Here comes the directory listing.",
        Say::ListDone { .. } => "226 Directory send OK.",
        Say::DownloadBegins { path, size, .. } => {
            return format!("150 Opening BINARY mode data connection for {path} ({size} bytes).");
        }
        Say::NoDownload { .. } => "550 Failed to open file.",
        Say::UploadBegins { path, unique: true, .. } => return format!("150 FILE: {path}"),
        Say::UploadBegins { .. } => "150 Ok to send data.",
        Say::NoUpload { .. } => "553 Could not create file.",
        Say::Done { .. } => "226 Transfer complete.",
        Say::Broken => "426 Failure writing network stream.",
        Say::DiskFull => "451 Failure writing to local file.",
        Say::NothingToAbort => "225 No transfer to ABOR.",
        Say::Aborted => "426 Failure writing network stream.\r\n226 ABOR successful.",
        Say::Utf8 => "200 Always in UTF8 mode.",
        Say::BadOption => "501 Option not understood.",
        Say::BadSite { .. } => "500 Unknown SITE command.",
        Say::ModeSet { .. } => "200 SITE CHMOD command ok.",
        Say::ModeNotSet { .. } => "550 SITE CHMOD command failed.",
        Say::Umask => "200 Your current UMASK is 077",
        Say::NotSecured => "522 SSL connection failed",
        Say::Idle => "421 Timeout.",
        Say::TooLong => "500 Input line too long.",
        Say::Bye { .. } => "221 Goodbye.",
    }
    .to_owned()
}

fn proftpd(what: Say<'_>) -> String {
    let failed = |path: &str, errno: Errno| format!("550 {path}: {}", errno.text());
    match what {
        Say::LoginFirst => "530 Please login with USER and PASS",
        Say::UserFirst => "503 Login with USER first",
        Say::Password { anonymous: true, .. } => {
            "331 Anonymous login ok, send your complete email address as your password"
        }
        Say::Password { user, .. } => return format!("331 Password required for {user}"),
        Say::LoggedIn { anonymous: true, .. } => "230 Anonymous access granted, restrictions apply",
        Say::LoggedIn { user, .. } => return format!("230 User {user} logged in"),
        Say::LoginFailed => "530 Login incorrect.",
        Say::AlreadyIn => "503 You are already logged in",
        Say::NotSecured => "425 Unable to build data connection: Operation not permitted",
        Say::Unknown { verb } => {
            return format!("500 {verb} not understood");
        }
        Say::NotImplemented { verb } => return format!("502 {verb} command not implemented"),
        Say::Directory(path) => return format!("257 \"{path}\" is the current directory"),
        Say::Changed { .. } => "250 CWD command successful",
        Say::NotChanged { path, errno }
        | Say::NotMade { path, errno }
        | Say::DirectoryNotRemoved { path, errno }
        | Say::NotDeleted { path, errno }
        | Say::NoRenameFrom { path, errno }
        | Say::NotRenamed { path, errno }
        | Say::NoSize { path, errno }
        | Say::NoTime { path, errno }
        | Say::NoDownload { path, errno }
        | Say::NoUpload { path, errno }
        | Say::ModeNotSet { path, errno } => return failed(path, errno),
        Say::Made { path } => return format!("257 \"{path}\" - Directory successfully created"),
        Say::DirectoryRemoved => "250 RMD command successful",
        Say::Deleted { .. } => "250 DELE command successful",
        Say::RenameFrom => "350 File or directory exists, ready for destination name",
        Say::RenameFirst => "503 Bad sequence of commands",
        Say::Renamed => "250 Rename successful",
        Say::Noop => "200 NOOP command successful",
        Say::Allocated => "200 ALLO command successful",
        Say::Type { letter } => return format!("200 Type set to {letter}"),
        Say::BadType { argument: "" } => "500 'TYPE' not understood",
        Say::BadType { argument } => {
            return format!("504 TYPE not implemented for '{argument}' parameter");
        }
        Say::Mode => "200 Mode set to S",
        Say::BadMode { argument } => {
            return format!("504 'MODE {argument}' unsupported transfer mode");
        }
        Say::Structure => "200 Structure set to F",
        Say::BadStructure { argument } => {
            return format!("504 'STRU {argument}' unsupported structure type");
        }
        Say::Restart { at } => {
            return format!("350 Restarting at {at}. Send STORE or RETRIEVE to initiate transfer");
        }
        Say::BadRestart => "501 REST requires a value greater than or equal to 0",
        Say::TimeSet { stamp, path } => return format!("213 Modify={stamp}; {path}"),
        Say::Passive { address } => return format!("227 Entering Passive Mode ({address})."),
        Say::ExtendedPassive { port } => {
            return format!("229 Entering Extended Passive Mode (|||{port}|)");
        }
        Say::ExtendedOnly => "200 EPSV ALL command successful",
        Say::BadProtocol | Say::BadPort { verb: "EPRT" } => {
            "522 Network protocol not supported, use (1)"
        }
        Say::NoPort => "425 Unable to build data connection: Address already in use",
        Say::Active { verb } => return format!("200 {verb} command successful"),
        Say::IllegalPort { verb, .. } => return format!("500 Illegal {verb} command"),
        Say::BadPort { .. } => "501 Illegal PORT command",
        Say::NoChannel => "425 Unable to build data connection: Connection refused",
        Say::NotConnected => "425 Unable to build data connection: Connection timed out",
        Say::WrongClient => "425 Unable to build data connection: Operation not permitted",
        Say::ListBegins { verb: "MLSD" } => "150 Opening ASCII mode data connection for MLSD",
        Say::ListBegins { .. } => "150 Opening ASCII mode data connection for file list",
        Say::ListDone { .. } | Say::Done { .. } => "226 Transfer complete",
        Say::DownloadBegins { path, size, binary } => {
            let mode = if binary { "BINARY" } else { "ASCII" };
            return format!("150 Opening {mode} mode data connection for {path} ({size} bytes)");
        }
        Say::UploadBegins { path, unique: true, .. } => return format!("150 FILE: {path}"),
        Say::UploadBegins { path, binary, .. } => {
            let mode = if binary { "BINARY" } else { "ASCII" };
            return format!("150 Opening {mode} mode data connection for {path}");
        }
        Say::Broken => "426 Transfer aborted. Data connection closed",
        Say::DiskFull => "452 Transfer aborted. No space left on device",
        Say::NothingToAbort => "226 Abort successful",
        Say::Aborted => "426 Transfer aborted. Data connection closed\r\n226 Abort successful",
        Say::Utf8 => "200 UTF8 set to on",
        Say::BadOption => "501 Invalid number of parameters",
        Say::BadSite { argument: "" } => "500 'SITE' requires parameters",
        Say::BadSite { argument } => return format!("500 'SITE {argument}' not understood"),
        Say::ModeSet { .. } => "200 SITE CHMOD command successful",
        Say::Umask => "500 'SITE UMASK' not understood",
        Say::Idle => "421 Idle timeout (1200 seconds): closing control connection",
        Say::TooLong => "500 Unable to handle command",
        Say::Bye { .. } => "221 Goodbye.",
    }
    .to_owned()
}

fn pureftpd(what: Say<'_>) -> String {
    match what {
        Say::LoginFirst => "530 You aren't logged in",
        Say::UserFirst => "530 Please tell me who you are",
        Say::Password { anonymous: true, .. } => "230 Anonymous user logged in",
        Say::Password { user, .. } => return format!("331 User {user} OK. Password required"),
        Say::LoggedIn { anonymous: true, .. } => "230 Any password will work",
        Say::LoggedIn { home, .. } => return format!("230 OK. Current directory is {home}"),
        Say::LoginFailed => "530 Login authentication failed",
        Say::AlreadyIn => "530 You're already logged in",
        Say::Unknown { .. } => "500 Unknown command",
        Say::NotImplemented { .. } => "202 Please tell me who you are",
        Say::Directory(path) => return format!("257 \"{path}\" is your current location"),
        Say::Changed { path } => return format!("250 OK. Current directory is {path}"),
        Say::NotChanged { path, errno } => {
            return format!("550 Can't change directory to {path}: {}", errno.text());
        }
        Say::Made { path } => {
            return format!("257 \"{path}\" : The directory was successfully created");
        }
        Say::NotMade { errno, .. } => {
            return format!("550 Can't create directory: {}", errno.text());
        }
        Say::DirectoryRemoved => "250 The directory was successfully removed",
        Say::DirectoryNotRemoved { errno, .. } => {
            return format!("550 Can't remove directory: {}", errno.text());
        }
        Say::Deleted { path } => return format!("250 Deleted {path}"),
        Say::NotDeleted { path, errno } => {
            return format!("550 Could not delete {path}: {}", errno.text());
        }
        Say::RenameFrom => "350 RNFR accepted - file exists, ready for destination",
        Say::NoRenameFrom { .. } => "550 Sorry, but that file doesn't exist",
        Say::RenameFirst => "503 Need RNFR before RNTO",
        Say::Renamed => "250 File successfully renamed or moved",
        Say::NotRenamed { errno, .. } => {
            return format!("451 Rename/move failure: {}", errno.text());
        }
        Say::Noop => "200 Zzz...",
        Say::Allocated => "200 A L'HUILE",
        Say::Type { letter: 'A' } => "200 TYPE is now ASCII",
        Say::Type { .. } => "200 TYPE is now 8-bit binary",
        Say::BadType { argument: "" } => {
            "501-Missing argument\r\n501-A(scii) I(mage) L(ocal)\r\n501 TYPE is now ASCII"
        }
        Say::BadType { argument } => {
            return format!("504-Unknown TYPE: {argument}\r\n504 TYPE is now 8-bit binary");
        }
        Say::Mode => "200 S OK",
        Say::BadMode { .. } => "504 Please use S(tream) mode",
        Say::Structure => "200 F OK",
        Say::BadStructure { .. } => "504 Only F(ile) is supported",
        Say::Restart { at } => return format!("350 Restarting at {at}"),
        Say::BadRestart => "554-REST needs a numeric parameter\r\n554 Restart offset reset to 0",
        Say::NoSize { errno: Errno::IsDirectory, .. } => "550 I can only retrieve regular files",
        Say::NoSize { .. } | Say::NoTime { .. } => "550 Can't check for file existence",
        Say::TimeSet { .. } => "213 UTIME OK",
        Say::Passive { address } => return format!("227 Entering Passive Mode ({address})"),
        Say::ExtendedPassive { port } => {
            return format!("229 Extended Passive mode OK (|||{port}|)");
        }
        Say::ExtendedOnly => "220 Active mode is disabled",
        Say::BadProtocol => "522 Only IPv4 and IPv6 are supported",
        Say::NoPort => "421 Unable to find an available local port",
        Say::Active { .. } => "200 PORT command successful",
        Say::IllegalPort { low: true, .. } => "501 Sorry, but I won't connect to ports < 1024",
        Say::IllegalPort { ip, client, .. } => {
            return format!("500 I won't open a connection to {ip} (only to {client})");
        }
        Say::BadPort { .. } => "501 Syntax error in IP address",
        Say::NoChannel | Say::WrongClient => "425 No data connection",
        Say::NotConnected => "425 Could not open data connection: Connection timed out",
        Say::ListBegins { .. } | Say::DownloadBegins { .. } => "150 Accepted data connection",
        Say::ListDone { verb: "LIST", count, all } => {
            let options = if all { "-a -l" } else { "-l" };
            return format!("226-Options: {options} \r\n226 {count} matches total");
        }
        Say::ListDone { count, .. } => return format!("226 {count} matches total"),
        Say::NoDownload { errno: Errno::IsDirectory, .. } => {
            "550 I can only retrieve regular files"
        }
        Say::NoDownload { path, errno } => {
            return format!("550 Can't open {path}: {}", errno.text());
        }
        Say::UploadBegins { path, unique: true, .. } => {
            return format!("150-FILE: {path}\r\n150 Accepted data connection");
        }
        Say::UploadBegins { .. } => "150 Accepted data connection",
        Say::NoUpload { errno, .. } => {
            return format!("553 Can't open that file: {}", errno.text());
        }
        Say::Done { bytes, micros } => return measured(bytes, micros),
        Say::Broken => "426 Failure writing network stream",
        Say::DiskFull => "452 Error during write to file",
        Say::NothingToAbort | Say::Aborted => "226 Since you see this ABOR must've succeeded",
        Say::Utf8 => "200 OK, UTF-8 enabled",
        Say::BadOption => "504 Unknown command",
        Say::BadSite { argument: "" } => "500 SITE: Missing argument",
        Say::BadSite { argument } => {
            return format!("500 SITE {argument} is an unknown extension");
        }
        Say::ModeSet { path } => return format!("200 Permissions changed on {path}"),
        Say::ModeNotSet { path, errno } => {
            return format!("550 Could not change perms on {path}: {}", errno.text());
        }
        Say::Umask => "500 SITE UMASK is an unknown extension",
        Say::NotSecured => "426 Failure writing network stream",
        Say::Idle => "421 Timeout - try typing a little faster next time",
        Say::TooLong => "500 Line too long",
        Say::Bye { sent, received } => {
            let (up, down) = (received.div_ceil(1024), sent.div_ceil(1024));
            return format!(
                "221-Goodbye. You uploaded {up} and downloaded {down} kbytes.\r\n221 Logout."
            );
        }
    }
    .to_owned()
}

/// How long a transfer took, as Pure-FTPd tells it.
fn measured(bytes: u64, micros: u64) -> String {
    let (seconds, millis) = (micros / 1_000_000, micros / 1000 % 1000);
    let hundredths = bytes.saturating_mul(100_000_000).checked_div(micros.max(1)).unwrap_or(0);
    let (rate, unit) = match hundredths {
        0..102_400 => (hundredths, "bytes"),
        102_400..104_857_600 => (hundredths / 1024, "Kbytes"),
        _ => (hundredths / 1_048_576, "Mbytes"),
    };
    format!(
        "226-File successfully transferred\r\n226 {seconds}.{millis:03} seconds (measured here), \
         {}.{:02} {unit} per second",
        rate / 100,
        rate % 100
    )
}
