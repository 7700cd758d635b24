use sha2::{Digest, Sha256};
use webcall_crypto::FileKey;
use webcall_crypto::files::{
    Attachment, CHUNK_BYTES, FileError, FileOpener, FileSealer, Layout, MAX_ATTACHMENT_BYTES, MAX_NAME_BYTES, MAX_TYPE_BYTES,
    WholeFile,
};

fn content(length: u64) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).expect("below 251")).collect()
}

/// What the server has, chunk by chunk, and what the message says.
fn sealed(file: &[u8]) -> (Vec<Vec<u8>>, Attachment) {
    let layout = Layout::of(file.len() as u64).expect("short enough");
    let mut sealer = FileSealer::new(layout);
    let chunks = (0..layout.chunks())
        .map(|chunk| {
            let content = layout.content(chunk).expect("there is one");
            let range = usize::try_from(content.start).expect("short")..usize::try_from(content.end).expect("short");
            sealer.seal_next(&file[range]).expect("the next chunk")
        })
        .collect();
    (chunks, sealer.finish("cat.jpg".into(), "image/jpeg".into()).expect("all of it"))
}

fn whole(attachment: &Attachment, chunks: &[Vec<u8>]) -> Result<Vec<u8>, FileError> {
    let (mut reader, mut file) = (WholeFile::new(attachment.clone()), Vec::new());
    for chunk in chunks {
        file.extend_from_slice(&reader.open_next(chunk)?);
    }
    reader.finish()?;
    Ok(file)
}

const THREE: u64 = 2 * CHUNK_BYTES + 60_000;

#[test]
fn a_file_comes_out_as_it_went_in_at_every_length() {
    for length in [0, 1, 255, 256, 257, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, THREE] {
        let file = content(length);
        let (chunks, attachment) = sealed(&file);
        let sealed_bytes: usize = chunks.iter().map(Vec::len).sum();
        assert_eq!(sealed_bytes as u64, attachment.layout().sealed_bytes(), "{length}");
        assert_eq!(whole(&attachment, &chunks), Ok(file.clone()), "{length}");
        assert_eq!(attachment.digest(), <[u8; 32]>::from(Sha256::digest(&file)));
    }
}

#[test]
fn a_chunk_opens_alone_and_lies_where_the_layout_says() {
    let file = content(THREE);
    let (chunks, attachment) = sealed(&file);
    let (on_server, layout, opener) = (chunks.concat(), attachment.layout(), FileOpener::new(attachment));
    for byte in [THREE - 1, CHUNK_BYTES, 0, CHUNK_BYTES - 1] {
        let chunk = layout.chunk_of(byte).unwrap();
        let (sealed, content) = (layout.sealed(chunk).unwrap(), layout.content(chunk).unwrap());
        let sealed = &on_server[usize::try_from(sealed.start).unwrap()..usize::try_from(sealed.end).unwrap()];
        let opened = opener.open(chunk, sealed).unwrap();
        assert_eq!(opened[usize::try_from(byte - content.start).unwrap()], file[usize::try_from(byte).unwrap()], "byte {byte}");
    }
}

#[test]
fn chunks_that_are_swapped_doubled_left_out_or_cut_are_refused() {
    let (chunks, attachment) = sealed(&content(THREE));
    let [one, two, three] = [0, 1, 2].map(|at| chunks[at].clone());
    let read =
        |chunks: &[&Vec<u8>]| whole(&attachment, &chunks.iter().map(|chunk| (*chunk).clone()).collect::<Vec<_>>()).map(drop);
    assert_eq!(read(&[&one, &two, &three]), Ok(()));
    assert_eq!(read(&[&two, &one, &three]), Err(FileError::Tampered));
    assert_eq!(read(&[&one, &one, &three]), Err(FileError::Tampered));
    assert_eq!(read(&[&one, &two]), Err(FileError::Incomplete));
    assert_eq!(read(&[]), Err(FileError::Incomplete));
    assert_eq!(read(&[&one, &three]), Err(FileError::WrongLength));
    assert_eq!(read(&[&one, &two, &three, &three]), Err(FileError::NoSuchChunk));
    assert_eq!(read(&[&one, &two, &three[1..].to_vec()]), Err(FileError::WrongLength));
    assert_eq!(read(&[&one, &two, &Vec::new()]), Err(FileError::WrongLength));
}

/// A file of whole chunks, so that lengths do not give it away: the flag in the nonce does.
#[test]
fn a_file_cut_at_a_chunk_is_refused_even_if_the_message_says_that_it_ends_there() {
    let (chunks, attachment) = sealed(&content(4 * CHUNK_BYTES));
    let shorter = with_size(&attachment, 3 * CHUNK_BYTES);
    assert_eq!(whole(&attachment, &chunks).map(|file| file.len() as u64), Ok(4 * CHUNK_BYTES));
    assert_eq!(whole(&shorter, &chunks[..3]), Err(FileError::Tampered));
    let longer = with_size(&attachment, 5 * CHUNK_BYTES);
    assert_eq!(whole(&longer, &chunks), Err(FileError::Tampered), "what was the last is not");
}

/// The same key and digest with another length.
fn with_size(attachment: &Attachment, size: u64) -> Attachment {
    let mut bytes = attachment.to_bytes().to_vec();
    bytes[65..73].copy_from_slice(&size.to_be_bytes());
    Attachment::from_bytes(&bytes).expect("a length that a file can have")
}

#[test]
fn another_key_or_another_file_is_refused() {
    let (chunks, attachment) = sealed(&content(1_000));
    let (other_chunks, other) = sealed(&content(1_000));
    assert_eq!(whole(&attachment, &other_chunks), Err(FileError::Tampered));
    assert_eq!(whole(&other, &chunks), Err(FileError::Tampered));
    let mut lies = attachment.to_bytes().to_vec();
    lies[33] ^= 1;
    let of_another_digest = Attachment::from_bytes(&lies).unwrap();
    assert_eq!(whole(&of_another_digest, &chunks), Err(FileError::OtherFile));
    assert_eq!(whole(&with_size(&attachment, 999), &chunks), Err(FileError::BadPadding), "another length of the same padding");
    assert!(whole(&attachment, &chunks).is_ok());
    assert_ne!(chunks, other_chunks, "one file sent twice is two");
}

#[test]
fn whatever_byte_of_a_chunk_is_changed_is_noticed() {
    let (chunks, attachment) = sealed(&content(300));
    let opener = FileOpener::new(attachment);
    for at in 0..chunks[0].len() {
        let mut changed = chunks[0].clone();
        changed[at] ^= 1;
        assert_eq!(opener.open(0, &changed), Err(FileError::Tampered), "{at}");
    }
    assert!(opener.open(0, &chunks[0]).is_ok());
    assert_eq!(opener.open(1, &chunks[0]), Err(FileError::NoSuchChunk));
    assert_eq!(opener.open(u32::MAX, &chunks[0]), Err(FileError::NoSuchChunk));
}

#[test]
fn a_sealer_takes_the_file_that_it_was_told_of_and_no_other() {
    let layout = Layout::of(CHUNK_BYTES + 5).unwrap();
    let mut sealer = FileSealer::new(layout);
    assert_eq!(sealer.seal_next(&content(CHUNK_BYTES - 1)), Err(FileError::WrongLength));
    sealer.seal_next(&content(CHUNK_BYTES)).unwrap();
    assert_eq!(sealer.seal_next(&content(6)), Err(FileError::WrongLength));
    sealer.seal_next(&content(5)).unwrap();
    assert_eq!(sealer.seal_next(&[]), Err(FileError::NoSuchChunk));
    assert!(sealer.finish(String::new(), String::new()).is_ok());
    assert_eq!(FileSealer::new(layout).finish(String::new(), String::new()), Err(FileError::Incomplete));
}

#[test]
fn an_attachment_is_read_whole_or_not_at_all_and_keeps_its_key_to_itself() {
    let key = || FileKey::new([0xab; 32]);
    let layout = Layout::of(5).unwrap();
    let of = |name: usize, media_type: usize| Attachment::new(key(), [1; 32], layout, "é".repeat(name), "x".repeat(media_type));
    let longest = of(MAX_NAME_BYTES / 2, MAX_TYPE_BYTES).unwrap();
    let bytes = longest.to_bytes();
    assert!(bytes.len() <= MAX_ATTACHMENT_BYTES);
    assert_eq!(Attachment::from_bytes(&bytes), Ok(longest.clone()));
    assert_eq!((longest.name().len(), longest.media_type().len()), (764, MAX_TYPE_BYTES));
    assert_eq!(of(MAX_NAME_BYTES / 2 + 1, 0), Err(FileError::TooLong));
    assert_eq!(of(0, MAX_TYPE_BYTES + 1), Err(FileError::TooLong));
    for cut in 0..bytes.len() {
        assert_eq!(Attachment::from_bytes(&bytes[..cut]), Err(FileError::Malformed), "{cut}");
    }
    let short = of(1, 1).unwrap().to_bytes();
    assert_eq!(Attachment::from_bytes(&[&short[..], &[0]].concat()), Err(FileError::Malformed));
    assert_eq!(Attachment::from_bytes(&[&[2], &short[1..]].concat()), Err(FileError::UnknownVersion));
    let no_text = [&short[..75], &[0xff, 0xff], &short[77..]].concat();
    assert_eq!(Attachment::from_bytes(&no_text), Err(FileError::Malformed));
    let too_large = [&short[..65], &u64::MAX.to_be_bytes(), &short[73..]].concat();
    assert_eq!(Attachment::from_bytes(&too_large), Err(FileError::TooLong));
    assert!(!format!("{longest:?}").contains("171"), "0xab");
}
