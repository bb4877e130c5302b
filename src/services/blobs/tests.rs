use std::path::PathBuf;

use futures_util::stream;
use tempfile::TempDir;

use super::*;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

fn source(pieces: Vec<Result<&'static [u8], SendError>>) -> ByteStream {
    stream::iter(pieces.into_iter().map(|piece| piece.map(Bytes::from_static))).boxed()
}

fn folder() -> (TempDir, Blobs) {
    let dir = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::open(&dir.path().join("blobs")).expect("opened");
    (dir, blobs)
}

fn files(dir: &TempDir) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("read").flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

async fn bytes_of(blobs: &Blobs, id: &str) -> Vec<u8> {
    let pieces: Vec<Bytes> = blobs.get(id).await.expect("found").try_collect().await.expect("read");
    pieces.concat()
}

#[tokio::test]
async fn what_is_put_can_be_got() {
    let (dir, blobs) = folder();
    let pieces = vec![Ok(PNG), Ok(&b" and the rest"[..])];
    let stored = blobs.put("../../etc/passwd", "text/html", source(pieces), 1 << 20).await.expect("stored");
    let whole = [PNG, b" and the rest"].concat();
    assert_eq!(stored.size, whole.len() as u64);
    assert_eq!(stored.sha256, hex::encode(Sha256::digest(&whole)));
    assert_eq!(stored.mime, "image/png");
    assert_eq!(bytes_of(&blobs, stored.id.as_str()).await, whole);
    // S89: the name given is nowhere on the disk.
    assert_eq!(files(&dir).len(), 1);
    assert!(files(&dir)[0].ends_with(stored.id.as_str()));
    blobs.remove(stored.id.as_str()).await.expect("removed");
    blobs.remove(stored.id.as_str()).await.expect("no error the second time");
    assert_eq!(blobs.get(stored.id.as_str()).await.err(), Some(BlobError::NotFound));
}

/// F37: empty, just within the limit, just above it.
#[tokio::test]
async fn f37_sizes_on_both_sides_of_the_limit() {
    let (dir, blobs) = folder();
    let empty = blobs.put("a.txt", "", source(vec![]), 10).await.expect("stored");
    assert_eq!((empty.size, empty.mime.as_str()), (0, "text/plain"));
    assert_eq!(bytes_of(&blobs, empty.id.as_str()).await, b"");
    let fits = blobs.put("a", "", source(vec![Ok(&[7; 6]), Ok(&[7; 4])]), 10).await.expect("stored");
    assert_eq!(fits.size, 10);
    let before = files(&dir).len();
    let refused = blobs.put("a", "", source(vec![Ok(&[7; 6]), Ok(&[7; 5])]), 10).await;
    assert_eq!(refused, Err(BlobError::TooLarge { max: 10 }));
    assert_eq!(files(&dir).len(), before);
}

/// F37: the source dies half-way.
#[tokio::test]
async fn f37_a_failed_source_leaves_nothing() {
    let (dir, blobs) = folder();
    let gone = SendError::Gone { why: "expired".to_owned() };
    let pieces = vec![Ok(&[1_u8; 4096][..]), Err(gone.clone())];
    assert_eq!(blobs.put("a", "", source(pieces), 1 << 20).await, Err(BlobError::Source(gone)));
    assert_eq!(files(&dir), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_dropped_copy_leaves_nothing() {
    let (dir, blobs) = folder();
    let endless = stream::iter([Ok(Bytes::from_static(PNG))]).chain(stream::pending()).boxed();
    let copying = blobs.put("a", "", endless, 1 << 20);
    let waited = tokio::time::timeout(std::time::Duration::from_millis(50), copying).await;
    assert!(waited.is_err());
    drop(blobs);
    // The leftover is removed on a blocking thread; another blocking task queues behind it.
    for _ in 0..100 {
        if files(&dir).is_empty() {
            return;
        }
        tokio::task::spawn_blocking(|| ()).await.expect("joined");
    }
    panic!("left behind: {:?}", files(&dir));
}

#[tokio::test]
async fn a_large_file_goes_to_the_disk_in_parts() {
    let (_dir, blobs) = folder();
    let piece = Bytes::from(vec![42_u8; 300_000]);
    let pieces: Vec<Result<Bytes, SendError>> = std::iter::repeat_n(Ok(piece), 12).collect();
    let stored = blobs.put("a.bin", "", stream::iter(pieces).boxed(), 1 << 30).await.expect("stored");
    assert_eq!(stored.size, 3_600_000);
    assert_eq!(bytes_of(&blobs, stored.id.as_str()).await.len(), 3_600_000);
}

#[tokio::test]
async fn only_ids_of_ours_are_looked_up() {
    let (dir, blobs) = folder();
    std::fs::write(dir.path().join("secret"), "x").expect("written");
    for id in ["", "../secret", "..%2fsecret", "ABCDEFABCDEFABCDEFABCDEFABCDEFAB", "/etc/passwd", "0"] {
        assert_eq!(blobs.get(id).await.err(), Some(BlobError::NotFound), "{id}");
    }
    let absent = "0".repeat(32);
    assert_eq!(blobs.get(&absent).await.err(), Some(BlobError::NotFound));
}

#[cfg(unix)]
#[tokio::test]
async fn folders_are_ours_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, blobs) = folder();
    blobs.put("a", "", source(vec![Ok(b"x")]), 10).await.expect("stored");
    let root = dir.path().join("blobs");
    let inner = std::fs::read_dir(&root).expect("read").flatten().next().expect("a sub-folder").path();
    for folder in [root, inner] {
        let mode = std::fs::metadata(&folder).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
    }
}

#[test]
fn the_type_is_what_the_bytes_show() {
    for (head, declared, name, expected) in [
        (PNG, "text/plain", "a.txt", "image/png"),
        (b"<!DOCTYPE html><html>", "image/png", "a.png", "text/html"),
        (b"just words", "image/png", "a.png", UNKNOWN),
        (b"just words", "", "a.png", UNKNOWN),
        (b"just words", "Text/CSV; charset=utf-8", "a", "text/csv"),
        (b"just words", "", "notes.txt", "text/plain"),
        (b"just words", "no type", "", UNKNOWN),
        (b"", "", "", UNKNOWN),
    ] as [(&[u8], &str, &str, &str); 8]
    {
        assert_eq!(kind::of(head, declared, name), expected, "{declared} {name}");
    }
}

const UNKNOWN: &str = "application/octet-stream";
