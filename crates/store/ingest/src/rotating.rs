//! A file that lines are appended to, and that starts anew when it is large or was taken away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::blobs::make_folder;

/// Longest last line that is looked for.
const TAIL: u64 = 4 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct Rotating {
    path: PathBuf,
    rotate_bytes: u64,
    keep: u32,
    file: Option<File>,
}

impl Rotating {
    pub(crate) fn new(path: PathBuf, rotate_bytes: u64, keep: u32) -> Self {
        Self { path, rotate_bytes, keep, file: None }
    }

    /// Appends whole lines.
    pub(crate) fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let length = self.current()?.metadata()?.len();
        if length > 0 && length.saturating_add(lines.len() as u64) > self.rotate_bytes {
            self.rotate()?;
        }
        self.current()?.write_all(lines)
    }

    /// The open file, opened again when its name leads elsewhere.
    fn current(&mut self) -> io::Result<&File> {
        let same = match (&self.file, fs::metadata(&self.path)) {
            (Some(file), Ok(there)) => {
                let here = file.metadata()?;
                (here.dev(), here.ino()) == (there.dev(), there.ino())
            }
            _ => false,
        };
        if !same {
            self.file = None;
        }
        if self.file.is_none() {
            if let Some(folder) = self.path.parent().filter(|f| !f.as_os_str().is_empty()) {
                make_folder(folder)?;
            }
            let mut options = OpenOptions::new();
            let mut file =
                options.create(true).read(true).append(true).mode(0o640).open(&self.path)?;
            // A crash may have cut the last line.
            if !ends_with_line(&mut file)? {
                file.write_all(b"\n")?;
            }
            self.file = Some(file);
        }
        self.file.as_ref().ok_or_else(|| io::Error::other("the file was just opened"))
    }

    fn rotate(&mut self) -> io::Result<()> {
        self.file = None;
        let numbered = |n: u32| {
            let mut name = self.path.clone().into_os_string();
            name.push(format!(".{n}"));
            PathBuf::from(name)
        };
        if self.keep == 0 {
            return fs::remove_file(&self.path);
        }
        for n in (1..self.keep).rev() {
            rename_if_there(&numbered(n), &numbered(n + 1))?;
        }
        rename_if_there(&self.path, &numbered(1))
    }

    /// The last complete line.
    pub(crate) fn last_line(&self) -> io::Result<Option<String>> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut tail = Vec::new();
        file.take(TAIL).read_to_end(&mut tail)?;
        let Some(end) = tail.iter().rposition(|&b| b == b'\n') else { return Ok(None) };
        let tail = tail.get(..end).unwrap_or_default();
        let start = tail.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        Ok(tail.get(start..).map(|line| String::from_utf8_lossy(line).into_owned()))
    }
}

fn ends_with_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_file_is_rotated_and_only_some_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/x.log");
        let mut file = Rotating::new(path.clone(), 10, 2);
        for line in ["111111\n", "222222\n", "333333\n", "444444\n"] {
            file.append(line.as_bytes()).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join("sub").join(name)).ok();
        assert_eq!(read("x.log").as_deref(), Some("444444\n"));
        assert_eq!(read("x.log.1").as_deref(), Some("333333\n"));
        assert_eq!(read("x.log.2").as_deref(), Some("222222\n"));
        assert_eq!(read("x.log.3"), None);
        assert_eq!(file.last_line().unwrap().as_deref(), Some("444444"));
    }

    #[test]
    fn a_file_that_was_taken_away_starts_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let mut file = Rotating::new(path.clone(), 1000, 2);
        file.append(b"a\n").unwrap();
        fs::rename(&path, folder.path().join("old")).unwrap();
        file.append(b"b\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "b\n");
    }

    #[test]
    fn a_cut_line_is_ended_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        fs::write(&path, "whole\ncut").unwrap();
        let mut file = Rotating::new(path.clone(), 1000, 2);
        assert_eq!(file.last_line().unwrap().as_deref(), Some("whole"));
        file.append(b"next\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole\ncut\nnext\n");
    }
}
