//! Prints the JARM of a server, with the ten answers it is made of: to measure the real ones that
//! deckies imitate.
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a tool of the tests")]

fn main() {
    let mut args = std::env::args().skip(1);
    let address = args.next().expect("address");
    let port = args.next().and_then(|port| port.parse().ok()).expect("port");
    let answers = e2e::jarm::answers(&address, port);
    answers.iter().for_each(|answer| println!("{answer}"));
    println!("{}", e2e::jarm::fingerprint(&answers));
}
