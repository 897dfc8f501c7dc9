//! Every rule, with a client that does what it likes.

use std::time::Duration;

use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::plain::{Answer, Client, Sftp, is_taken, packet, text};
use crate::world::{
    DIM, DIM_FILE, PASSWORD, TEA, TEA_FILE, TEA_TEXT, World, memory, pause, soon, tea_key,
};

async fn tea(world: &World) -> (Client, Sftp) {
    Client::log_in(world.address, TEA, PASSWORD).await
}

// Goal: a partner sees its own files, in one folder, and reads them.
#[tokio::test(flavor = "multi_thread")]
async fn own_files() {
    let world = World::new().await;
    let (_client, mut sftp) = tea(&world).await;
    assert_eq!(sftp.list("/").await, ["download"]);
    assert_eq!(sftp.list("/download").await, [TEA_FILE]);
    let path = format!("/download/{TEA_FILE}");
    let size = u64::try_from(TEA_TEXT.len()).unwrap();
    for kind in [7, 17] {
        let attrs = sftp.ask(kind, &[&text(&path)]).await;
        assert_eq!(attrs, Answer::Attrs(size, 0o100_444));
        let attrs = sftp.ask(kind, &[&text("/download")]).await;
        assert_eq!(attrs, Answer::Attrs(0, 0o040_555));
    }
    let Answer::Handle(handle) = sftp.open(&path, 1).await else {
        panic!("not opened");
    };
    let attrs = sftp.ask(8, &[&handle]).await;
    assert_eq!(attrs, Answer::Attrs(size, 0o100_444));
    assert_eq!(
        sftp.read(&handle, 8, 16).await,
        Answer::Data(TEA.as_bytes().to_vec())
    );
    for offset in [size, size + 1, u64::MAX] {
        assert_eq!(sftp.read(&handle, offset, 9).await, Answer::Status("eof"));
    }
    assert_eq!(sftp.ask(4, &[&handle]).await, Answer::Status("ok"));
    assert_eq!(sftp.ask(4, &[&handle]).await, Answer::Status("failure"));
    assert_eq!(sftp.read(&handle, 0, 9).await, Answer::Status("failure"));
    for (path, clean) in [("..", "/"), ("download/../x//y", "/x/y")] {
        let answer = sftp.ask(16, &[&text(path)]).await;
        assert_eq!(answer, Answer::Names(vec![clean.to_owned()]));
    }
}

// Goal: no path leads anywhere else.
#[tokio::test(flavor = "multi_thread")]
async fn other_paths() {
    let world = World::new().await;
    std::os::unix::fs::symlink(world.path().join("secret"), world.files().join("link.txt"))
        .unwrap();
    let (_client, mut sftp) = tea(&world).await;
    for path in [
        format!("/download/{DIM_FILE}"),
        format!("/{DIM_FILE}"),
        format!("/{TEA_FILE}"),
        format!("/download/{TEA_FILE}/x"),
        "/download/../secret".to_owned(),
        "/download/..%2fsecret".to_owned(),
        "/download/..\\secret".to_owned(),
        "../../etc/passwd".to_owned(),
        "/etc/passwd".to_owned(),
        world.path().join("secret").display().to_string(),
        world.files().join(TEA_FILE).display().to_string(),
        "/download/link.txt".to_owned(),
        "/DOWNLOAD".to_owned(),
        format!("/download/{TEA_FILE}\0"),
        "/download/*".to_owned(),
        "~".to_owned(),
        "a/".repeat(2_000),
    ] {
        let expected = Answer::Status("no such file");
        assert_eq!(sftp.open(&path, 1).await, expected, "{path}");
        for kind in [7, 11, 17] {
            let answer = sftp.ask(kind, &[&text(&path)]).await;
            assert_eq!(answer, expected, "{kind} {path}");
        }
    }
}

// Goal: whatever would change something is refused and changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn changes() {
    let world = World::new().await;
    let before = world.contents();
    let (_client, mut sftp) = tea(&world).await;
    let own = text(&format!("/download/{TEA_FILE}"));
    let new = text("/download/new");
    for path in [&own, &new] {
        for flags in [2u32, 3, 8, 9, 0x1a, 0x2a, 5, 0x11, 0] {
            let flags_bytes = flags.to_be_bytes();
            let answer = sftp.ask(3, &[path, &flags_bytes, &[0; 4]]).await;
            assert_eq!(answer, Answer::Status("denied"), "flags {flags}");
        }
        for kind in [9, 13, 14, 15, 18, 20] {
            let answer = sftp.ask(kind, &[path, &new, &[0; 4]]).await;
            assert_eq!(answer, Answer::Status("denied"), "{kind}");
        }
    }
    let Answer::Handle(handle) = sftp.open(&format!("/download/{TEA_FILE}"), 1).await else {
        panic!("not opened");
    };
    let write: &[&[u8]] = &[&handle, &[0; 8], &text("overwritten")];
    assert_eq!(sftp.ask(6, write).await, Answer::Status("denied"));
    let answer = sftp.ask(10, &[&handle, &[0; 4]]).await;
    assert_eq!(answer, Answer::Status("denied"));
    for name in ["posix-rename@openssh.com", "hardlink@openssh.com"] {
        let answer = sftp.ask(200, &[&text(name), &own, &new]).await;
        assert_eq!(answer, Answer::Status("denied"), "{name}");
    }
    for kind in [19, 99] {
        let answer = sftp.ask(kind, &[&own]).await;
        assert_eq!(answer, Answer::Status("unsupported"));
    }
    assert_eq!(world.contents(), before);
}

// Goal: a session has so many things open and no more.
#[tokio::test(flavor = "multi_thread")]
async fn handles() {
    let world = World::new().await;
    let (client, mut sftp) = tea(&world).await;
    let path = format!("/download/{TEA_FILE}");
    let mut last = Vec::new();
    for _ in 0..8 {
        let Answer::Handle(handle) = sftp.open(&path, 1).await else {
            panic!("not opened");
        };
        last = handle;
    }
    assert_eq!(sftp.open(&path, 1).await, Answer::Status("failure"));
    let folder = sftp.ask(11, &[&text("/download")]).await;
    assert_eq!(folder, Answer::Status("failure"));
    assert_eq!(sftp.ask(4, &[&last]).await, Answer::Status("ok"));
    assert!(matches!(sftp.open(&path, 1).await, Answer::Handle(_)));
    // One connection has four channels.
    let _others = [
        client.sftp().await,
        client.sftp().await,
        client.sftp().await,
    ];
    assert!(client.channel().await.is_err());
}

// Goal: only SFTP is spoken.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_else() {
    let world = World::new().await;
    let (client, mut sftp) = tea(&world).await;
    let mut channel = client.channel().await.unwrap();
    channel.exec(true, "id").await.unwrap();
    assert!(!is_taken(&mut channel).await);
    channel.request_shell(true).await.unwrap();
    assert!(!is_taken(&mut channel).await);
    channel
        .request_pty(true, "xterm", 80, 24, 0, 0, &[])
        .await
        .unwrap();
    assert!(!is_taken(&mut channel).await);
    channel.set_env(true, "PATH", "/").await.unwrap();
    assert!(!is_taken(&mut channel).await);
    channel.request_subsystem(true, "netconf").await.unwrap();
    assert!(!is_taken(&mut channel).await);
    let forward = client
        .ssh
        .channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 1);
    assert!(soon(forward).await.is_err());
    assert!(
        soon(client.ssh.tcpip_forward("127.0.0.1", 0))
            .await
            .is_err()
    );
    assert_eq!(sftp.list("/").await, ["download"]);
}

// Goal: three wrong passwords end a connection, and the right one comes too late there; another
// partner's password is wrong, and so is none.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords() {
    let world = World::new().await;
    let mut client = Client::connect(world.address).await.unwrap();
    for password in ["wrong", "", "dim password"] {
        assert_eq!(client.try_password(TEA, password).await, Some(false));
    }
    assert_ne!(client.try_password(TEA, PASSWORD).await, Some(true));
    let mut client = Client::connect(world.address).await.unwrap();
    for user in ["", "root", "2088621900000999", "../2088621900000101"] {
        let answer = client.try_password(user, PASSWORD).await;
        assert_ne!(answer, Some(true), "{user}");
    }
    let mut client = Client::connect(world.address).await.unwrap();
    let none = soon(client.ssh.authenticate_none(TEA)).await.unwrap();
    assert!(!none.success());
    assert!(client.channel().await.is_err());
    let mut client = Client::connect(world.address).await.unwrap();
    assert_eq!(client.try_password(TEA, PASSWORD).await, Some(true));
}

// Goal: an address that guesses is shut out for a while, then let in again.
#[tokio::test(flavor = "multi_thread")]
async fn a_guesser() {
    let world = World::with(|options| {
        options.wrong_per_address = 5;
        options.wrong_within = Duration::from_secs(3);
    })
    .await;
    let mut wrong = 0;
    'guesses: for _ in 0..5 {
        let Ok(mut client) = Client::connect(world.address).await else {
            break;
        };
        for _ in 0..3 {
            match client.try_password(TEA, "wrong").await {
                Some(false) => wrong += 1,
                _ => break 'guesses,
            }
        }
    }
    // This client takes the closed connection for one more refusal.
    assert!((5..=6).contains(&wrong), "{wrong}");
    assert!(Client::connect(world.address).await.is_err());
    pause(Duration::from_secs(3)).await;
    let (_client, mut sftp) = tea(&world).await;
    assert_eq!(sftp.list("/").await, ["download"]);
}

// Goal: the partner's key opens the door to the partner, no other key and to nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn keys() {
    let world = World::new().await;
    let stranger = PrivateKey::from(Ed25519Keypair::from_seed(&[8; 32]));
    let mut client = Client::connect(world.address).await.unwrap();
    assert!(!client.try_key(TEA, stranger).await);
    assert!(!client.try_key(DIM, tea_key()).await);
    assert!(client.try_key(TEA, tea_key()).await);
    assert_eq!(client.sftp().await.list("/download").await, [TEA_FILE]);
}

// Goal: many are served at once, one too many is closed, and its place is free again later.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd() {
    let world = World::new().await;
    let mut inside = Vec::new();
    for _ in 0..64 {
        inside.push(tea(&world).await);
    }
    assert!(Client::connect(world.address).await.is_err());
    for (_, sftp) in &mut inside {
        assert_eq!(sftp.list("/download").await, [TEA_FILE]);
    }
    drop(inside.pop());
    let mut looks = 0;
    while Client::connect(world.address).await.is_err() {
        looks += 1;
        assert!(looks < 200, "the place is not freed");
        pause(Duration::from_millis(20)).await;
    }
}

// Goal: who says nothing is cut: before the handshake, before the login, and after it; and who only
// keeps the line warm is idle as well.
#[tokio::test(flavor = "multi_thread")]
async fn the_idle() {
    let world = World::with(|options| {
        options.handshake_time = Duration::from_millis(300);
        options.login_time = Duration::from_millis(600);
        options.idle_time = Duration::from_millis(900);
    })
    .await;
    for greeting in ["", "SSH-2.0-slow\r\n"] {
        let mut stream = tokio::net::TcpStream::connect(world.address).await.unwrap();
        stream.write_all(greeting.as_bytes()).await.unwrap();
        let mut heard = Vec::new();
        let _ = soon(stream.read_to_end(&mut heard)).await;
        assert!(heard.starts_with(b"SSH-2.0-Spotpay\r\n"));
    }
    let client = Client::connect(world.address).await.unwrap();
    soon(client.ssh).await.ok();

    let (client, mut sftp) = tea(&world).await;
    for _ in 0..4 {
        pause(Duration::from_millis(400)).await;
        assert_eq!(sftp.list("/").await, ["download"]);
    }
    let mut looks = 0;
    while client.ssh.send_ping().await.is_ok() && !client.ssh.is_closed() {
        looks += 1;
        assert!(looks < 100, "it is not cut");
        pause(Duration::from_millis(50)).await;
    }
    assert_eq!(sftp.answer().await, Answer::Gone);
}

// Goal: what is no SFTP, and who asks without end and takes no answers, ends the connection.
#[tokio::test(flavor = "multi_thread")]
async fn bad_manners() {
    let world = World::new().await;
    let (_client, mut sftp) = tea(&world).await;
    sftp.send(&[0xff; 64]).await;
    assert_eq!(sftp.answer().await, Answer::Gone);
    let (_client, mut sftp) = tea(&world).await;
    sftp.send(&packet(1, &[&3u32.to_be_bytes()])).await;
    assert_eq!(sftp.answer().await, Answer::Gone);
    let (_client, mut sftp) = tea(&world).await;
    assert_eq!(sftp.list("/download").await, [TEA_FILE]);
}

// Goal: a whole file may be asked for at once, as some clients do, and memory stays flat.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_file() {
    const BYTES: u64 = 200_000_000;
    const PART: u64 = 32_768;
    let world = World::new().await;
    let name = format!("{TEA}_settlement_20261123.txt");
    let file = std::fs::File::create(world.files().join(&name)).unwrap();
    file.set_len(BYTES).unwrap();
    let (_client, mut sftp) = tea(&world).await;
    let Answer::Handle(handle) = sftp.open(&format!("/download/{name}"), 1).await else {
        panic!("not opened");
    };
    let before = memory();
    let length = u32::try_from(PART).unwrap();
    let requests = (0..BYTES.div_ceil(PART)).map(|part| {
        let offset = (part * PART).to_be_bytes();
        packet(5, &[&[0; 4], &handle, &offset, &length.to_be_bytes()])
    });
    let requests: Vec<u8> = requests.collect::<Vec<_>>().concat();
    sftp.send(&requests).await;
    let (mut read, mut most) = (0, 0);
    while read < BYTES {
        let Answer::Data(data) = sftp.answer().await else {
            panic!("no data after {read}");
        };
        read += u64::try_from(data.len()).unwrap();
        most = most.max(memory());
    }
    assert_eq!(read, BYTES);
    let grown = most.saturating_sub(before);
    assert!(grown < 40_000_000, "memory grew by {grown}");
}

// Goal: the server stops with sessions open, whether they speak or not.
#[tokio::test(flavor = "multi_thread")]
async fn the_end() {
    let world = World::new().await;
    let (client, mut sftp) = tea(&world).await;
    let _silent = tokio::net::TcpStream::connect(world.address).await.unwrap();
    assert_eq!(sftp.list("/").await, ["download"]);
    let address = world.address;
    let took = world.stop().await;
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert_eq!(sftp.answer().await, Answer::Gone);
    drop(client);
    assert!(Client::connect(address).await.is_err());
}
