use super::client;
use super::world::{World, body, event, request};
use base_model::Fields;
use tokio::io::{AsyncWriteExt as _, BufReader};

fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let rest = stat.rsplit_once(')').unwrap().1;
    let parts: Vec<&str> = rest.split_whitespace().collect();
    (parts[11].parse::<f64>().unwrap() + parts[12].parse::<f64>().unwrap()) / 100.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measure() {
    let world = World::new().await;
    for batch in 0..40 {
        world
            .feed((0..2500).map(|n| {
                let n = batch * 2500 + n;
                let kind = if n % 3 == 0 { "connect" } else { "command" };
                let ip = format!("10.{}.{}.{}", n % 3, n % 200, n % 7 + 1);
                body(event(n, &ip, kind, Fields::new().with("command", format!("wget http://x/{n}"))))
            }))
            .await;
    }
    let token = world.token("viewer");
    for path in ["/livez", "/api/v1/stats", "/api/v1/logs?limit=50", "/api/v1/logs?search=event:command", "/api/v1/logs?search=wget%20x%2F77", "/api/v1/logs/histogram", "/api/v1/attackers", "/api/v1/attackers/10.0.0.1", "/api/v1/credentials"] {
        let n = 2000u32;
        let (c0, t0) = (cpu(), std::time::Instant::now());
        let tasks: Vec<_> = (0..8).map(|_| {
            let (addr, token) = (world.addr, token.clone());
            let req = request("GET", path, &token, None).replace("Connection: close\r\n", "");
            tokio::spawn(async move {
                let mut stream = BufReader::new(tokio::net::TcpStream::connect(addr).await.unwrap());
                for _ in 0..n / 8 {
                    stream.get_mut().write_all(req.as_bytes()).await.unwrap();
                    let a = client::read(&mut stream).await;
                    assert_eq!(a.status, 200);
                }
            })
        }).collect();
        for t in tasks { t.await.unwrap(); }
        println!("MEASURE {path}: {:.3} ms cpu (client included), {:.0} req/s", (cpu() - c0) * 1000.0 / f64::from(n), f64::from(n) / t0.elapsed().as_secs_f64());
    }
}
