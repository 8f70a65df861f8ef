use super::*;

const MAIL: &[u8] = b"From: =?utf-8?Q?M=C3=BCller?= <m@evil.example>\r\n\
To: root@corp.local\r\nSubject: =?utf-8?B?UmVjaG51bmc=?= 7\r\nX-Mailer: PHPMailer 5\r\n\
Authentication-Results: x; dkim=pass; spf=fail\r\nDKIM-Signature: v=1\r\n\
MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b 1\"\r\n\r\npreamble\r\n\
--b 1\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n\
--in\r\nContent-Type: text/plain\r\n\r\nSee http://a.example/x?y=1, or HTTPS://b.example. Password: 1nfected\r\n\
--in\r\nContent-Type: text/html\r\n\r\n<a href=\"http://c.example/\">x</a>\r\n--in--\r\n\
--b 1\r\nContent-Type: application/zip; name=\"a.zip\"\r\nContent-Transfer-Encoding: base64\r\n\
Content-Disposition: attachment; filename*=utf-8''%C3%A4.zip\r\n\r\nUEsDBBQAAQAA\r\nAAAA\r\n\
--b 1\r\nContent-Disposition: attachment; filename=x.txt\r\n\r\nplain \xff bytes\r\n--b 1--\r\n";

#[test]
fn headers_links_and_files_are_found() {
    let found = look(MAIL);
    let contents = &found.contents;
    assert_eq!(contents.subject, "Rechnung 7");
    assert_eq!(contents.from, "Müller <m@evil.example>");
    assert_eq!(contents.x_mailer, "PHPMailer 5");
    assert!(contents.dkim_signed && contents.dkim_present && !contents.spf_pass);
    assert_eq!(contents.urls, ["http://a.example/x?y=1", "HTTPS://b.example", "http://c.example/"]);
    assert_eq!(contents.archive_password.as_deref(), Some("1nfected"));
    let names: Vec<_> = contents.attachments.iter().map(|a| a.filename.as_str()).collect();
    assert_eq!(names, ["ä.zip", "x.txt"]);
    assert_eq!(
        found.files,
        [b"PK\x03\x04\x14\0\x01\0\0\0\0\0".to_vec(), b"plain \xff bytes".to_vec()]
    );
    assert_eq!(contents.attachments[0].sha256, Sha256Digest::of(&found.files[0]));
}

#[test]
fn nesting_without_end_is_cut_and_not_followed() {
    let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(200_000);
    look(deep.as_bytes());
    let mut multi = String::new();
    for n in 0..20_000 {
        multi.push_str(&format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"));
    }
    look(multi.as_bytes());
    let wide = "Content-Type: multipart/mixed; boundary=b\r\n\r\n".to_owned()
        + &"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n".repeat(5000);
    let found = look(wide.as_bytes());
    assert_eq!(found.files.len(), MAX_FILES);
}

#[test]
fn any_bytes_at_all_are_looked_at() {
    proptest::proptest!(|(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600),
                          at in 0..MAIL.len())| {
        look(&bytes);
        let mixed = [MAIL.get(..at).unwrap(), &bytes, MAIL.get(at..).unwrap()].concat();
        look(&mixed);
    });
}

#[test]
fn documents_tell_of_macros_and_locks() {
    let entry = |name: &str, flags: u8| {
        let mut zip = b"PK\x03\x04\x14\0".to_vec();
        zip.extend([flags, 0]);
        zip.extend([0; 18]);
        zip.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        zip.extend([0; 2]);
        zip.extend(name.bytes());
        zip
    };
    assert!(file::has_macros(&entry("word/vbaProject.bin", 0)));
    assert!(!file::has_macros(&entry("word/document.xml", 0)));
    assert!(file::is_encrypted(&entry("a.exe", 1)) && !file::is_encrypted(&entry("a.exe", 0)));
    let wide = |name: &str| -> Vec<u8> {
        name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
    };
    let ole = |name: &str| {
        let mut file = vec![0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1];
        file.resize(512, 0);
        file.extend(wide(name));
        file
    };
    assert!(file::has_macros(&ole("_VBA_PROJECT")) && !file::is_encrypted(&ole("_VBA_PROJECT")));
    assert!(file::is_encrypted(&ole("EncryptedPackage")));
    assert!(file::is_encrypted(b"7z\xbc\xaf\x27\x1c...."));
}

#[test]
fn like_texts_have_like_hashes() {
    let near = |a: &str, b: &str| {
        let hash = |text: &str| u64::from_str_radix(&text::simhash(text), 16).unwrap();
        (hash(a) ^ hash(b)).count_ones()
    };
    let text = "Dear customer your account was suspended please confirm your data within one day";
    let other = "Dear customer your account was suspended please confirm your data within two days";
    assert!(near(text, other) < near(text, "the quick brown fox jumps over a lazy dog again"));
    assert_eq!(text::simhash(" .. "), "");
}

#[test]
fn runs_of_base64_and_smuggling_pages_are_measured() {
    let run = "QUJD".repeat(40);
    assert_eq!(text::largest_base64(&format!("x {run}\r\n{run}== y")), 240);
    assert_eq!(text::largest_base64("short QUJD"), 0);
    let page = "<script>var b=new Blob([x]);a.href=URL.createObjectURL(b)</script><a download=x>";
    assert!(text::smuggles(page) && !text::smuggles("<a download=x>"));
}
