//! *Exportar pendientes*: what a desk could not send, in a file that only the caja reads.
//!
//! ```text
//! "HANNA-PENDIENTES"   16 bytes
//! version               2 bytes, as all numbers with the highest byte first
//! key of the caja       8 bytes, the beginning of its SHA-256
//! device id            16 bytes
//! items                 4 bytes
//! encapsulated key     32 bytes
//! pages, each: whether it is the last (1 byte), the length of what follows (4 bytes), the sealed page
//! ```
//!
//! Sealed with HPKE (RFC 9180): X25519, HKDF-SHA256 and `ChaCha20-Poly1305`, to the public key of the caja, in the mode with a
//! pre-shared key: whoever does not know the PC's own secret cannot make such a file, and nobody but the caja can open
//! it. The head is bound to every page (`info`), and the pages to their order and their end. A page is the JSON of a
//! [`Batch`](crate::outbox::Batch), so both sides hold one page at a time. Why so: `docs/adr/0008-exports.md`.

use std::convert::Infallible;
use std::io::{self, Read, Write};

use hpke::aead::{AeadCtxR, AeadCtxS, ChaCha20Poly1305};
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, HpkeError, Kem, OpModeR, OpModeS, PskBundle, Serializable};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::keys::Key;
use crate::limits::BODY_MAX_BYTES;

const MAGIC: &[u8; 16] = b"HANNA-PENDIENTES";
/// The only version there is.
const VERSION: u16 = 1;
/// Magic and version: enough to know whose file it is.
const BEGIN: usize = 16 + 2;
/// Everything before the encapsulated key.
const HEAD: usize = BEGIN + 8 + 16 + 4;
/// The largest sealed page that is read. A writer fills pages as it fills requests; one large item may go beyond.
const PAGE_MAX_BYTES: usize = 2 * BODY_MAX_BYTES;

/// The caja's own key, which opens what is sealed to it.
#[derive(Clone)]
pub struct CajaKey {
    secret: <X25519HkdfSha256 as Kem>::PrivateKey,
    public: Key,
}

impl std::fmt::Debug for CajaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CajaKey").field("public", &self.public).finish_non_exhaustive()
    }
}

impl CajaKey {
    /// The key made of this secret: the same secret, the same key.
    pub fn derive(secret: &[u8; 32]) -> Self {
        let (secret, public) = X25519HkdfSha256::derive_keypair(secret);
        let mut bytes = [0; 32];
        public.write_exact(&mut bytes);
        Self { secret, public: Key(bytes) }
    }

    /// What files are sealed to.
    pub const fn public(&self) -> Key {
        self.public
    }
}

/// What stands in clear at the beginning of a file. Nothing of it is to be believed before a page was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The caja's key it is sealed to, shortened.
    pub caja: [u8; 8],
    /// The PC that made it.
    pub device_id: Uuid,
    /// How many items it has.
    pub items: u32,
}

impl Head {
    /// The head of a file that a PC seals to the caja.
    pub fn new(caja: Key, device_id: Uuid, items: u32) -> Self {
        Self { caja: short(caja), device_id, items }
    }

    /// Whether the file is sealed to this key.
    pub fn is_for(&self, caja: Key) -> bool {
        self.caja == short(caja)
    }

    fn to_bytes(self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        let parts: [&[u8]; 5] =
            [MAGIC, &VERSION.to_be_bytes(), &self.caja, self.device_id.as_bytes(), &self.items.to_be_bytes()];
        for (byte, part) in bytes.iter_mut().zip(parts.concat()) {
            *byte = part;
        }
        bytes
    }
}

fn short(key: Key) -> [u8; 8] {
    let digest = Sha256::digest(key.0);
    std::array::from_fn(|at| digest[at])
}

/// Writes a file, page by page.
pub struct Sealer<W> {
    out: W,
    context: AeadCtxS<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>,
}

impl<W: Write> Sealer<W> {
    /// Begins a file: `random` is 32 new random bytes.
    ///
    /// # Errors
    /// When it cannot be written, or the caja's key is none.
    pub fn begin(mut out: W, head: Head, caja: Key, device: &Key, random: [u8; 32]) -> io::Result<Self> {
        let bytes = head.to_bytes();
        let to = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&caja.0).map_err(unsealed)?;
        let bundle = PskBundle::new(&device.0, head.device_id.as_bytes()).map_err(unsealed)?;
        let mode = OpModeS::Psk(bundle);
        let (encapsulated, context) =
            hpke::setup_sender_with_rng::<_, _, X25519HkdfSha256>(&mode, &to, &bytes, &mut Given(random))
                .map_err(unsealed)?;
        out.write_all(&bytes)?;
        out.write_all(&encapsulated.to_bytes())?;
        Ok(Self { out, context })
    }

    /// Writes a page: the JSON of a batch. The last one ends the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn page(&mut self, batch: &[u8], is_last: bool) -> io::Result<()> {
        let sealed = self.context.seal(batch, &[u8::from(is_last)]).map_err(unsealed)?;
        let length = u32::try_from(sealed.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.out.write_all(&[u8::from(is_last)])?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&sealed)
    }

    /// What was written to.
    pub fn into_inner(self) -> W {
        self.out
    }
}

fn unsealed(error: HpkeError) -> io::Error {
    io::Error::other(error)
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportFault {
    /// It is no export.
    #[error("not an export of an outbox")]
    Other,
    /// It was made by a newer program.
    #[error("an export of version {0}, which is not known yet")]
    Newer(u16),
    /// It ends too early.
    #[error("the export ends too early")]
    Cut,
    /// It is not as its PC made it: changed on the way, or made by somebody who does not know that PC's secret.
    #[error("the export is not genuine")]
    NotGenuine,
    /// It cannot be read at all.
    #[error("the export cannot be read")]
    Io(#[source] io::Error),
}

impl From<io::Error> for ExportFault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Cut,
            _ => Self::Io(error),
        }
    }
}

/// Reads the head of a file.
///
/// # Errors
/// See [`ExportFault`]; nothing is known yet of whether the file is genuine.
pub fn read_head(from: &mut impl Read) -> Result<Head, ExportFault> {
    let begin: [u8; BEGIN] = match take(from) {
        // Nothing so short is known to be ours.
        Err(ExportFault::Cut) => return Err(ExportFault::Other),
        begin => begin?,
    };
    let (magic, version) = begin.split_at(MAGIC.len());
    if magic != MAGIC {
        return Err(ExportFault::Other);
    }
    let version = version.iter().fold(0, |number, byte| (number << 8) | u16::from(*byte));
    if version != VERSION {
        return Err(ExportFault::Newer(version));
    }
    Ok(Head {
        caja: take(from)?,
        device_id: Uuid::from_bytes(take(from)?),
        items: u32::from_be_bytes(take(from)?),
    })
}

/// Opens a file, page by page.
pub struct Opener<R> {
    from: R,
    context: AeadCtxR<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>,
    ended: bool,
}

impl<R: Read> Opener<R> {
    /// Goes on after [`read_head`]. `device` is the secret of the PC that the head names.
    ///
    /// # Errors
    /// See [`ExportFault`].
    pub fn begin(mut from: R, head: Head, caja: &CajaKey, device: &Key) -> Result<Self, ExportFault> {
        let encapsulated: [u8; 32] = take(&mut from)?;
        let encapsulated =
            <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&encapsulated).map_err(forged)?;
        let bundle = PskBundle::new(&device.0, head.device_id.as_bytes()).map_err(forged)?;
        let context =
            hpke::setup_receiver(&OpModeR::Psk(bundle), &caja.secret, &encapsulated, &head.to_bytes())
                .map_err(forged)?;
        Ok(Self { from, context, ended: false })
    }

    /// What was read from.
    pub fn into_inner(self) -> R {
        self.from
    }

    /// The next page, as its PC wrote it; none after the last.
    ///
    /// # Errors
    /// See [`ExportFault`].
    pub fn page(&mut self) -> Result<Option<Vec<u8>>, ExportFault> {
        if self.ended {
            // What stands after the end is not of its PC.
            return match self.from.read(&mut [0])? {
                0 => Ok(None),
                _ => Err(ExportFault::NotGenuine),
            };
        }
        let is_last: [u8; 1] = take(&mut self.from)?;
        let length = u32::from_be_bytes(take(&mut self.from)?);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > PAGE_MAX_BYTES {
            return Err(ExportFault::NotGenuine);
        }
        let mut sealed = vec![0; length];
        self.from.read_exact(&mut sealed)?;
        let page = self.context.open(&sealed, &is_last).map_err(forged)?;
        self.ended = is_last == [1];
        Ok(Some(page))
    }
}

fn forged(_: HpkeError) -> ExportFault {
    ExportFault::NotGenuine
}

fn take<const N: usize>(from: &mut impl Read) -> Result<[u8; N], ExportFault> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The random bytes that were given, and no others: the sender draws the material of one key pair, once.
struct Given([u8; 32]);

impl TryRng for Given {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            chunk.copy_from_slice(self.0.get(..chunk.len()).unwrap_or_default());
            // Whatever is drawn after that is another value.
            self.0 = Sha256::digest(self.0).into();
        }
        Ok(())
    }
}

impl TryCryptoRng for Given {}

#[cfg(test)]
mod tests {
    use super::*;

    const PC: Uuid = Uuid::from_u128(7);
    const PAGES: [&[u8]; 3] = [b"{\"items\":[1]}", b"{\"items\":[2]}", b"{\"items\":[3]}"];

    fn caja() -> CajaKey {
        CajaKey::derive(&[9; 32])
    }

    fn sealed() -> Vec<u8> {
        let to = caja().public();
        let head = Head::new(to, PC, 3);
        let mut sealer = Sealer::begin(Vec::new(), head, to, &Key([5; 32]), [6; 32]).expect("begun");
        for (at, page) in PAGES.iter().enumerate() {
            sealer.page(page, at == 2).expect("written");
        }
        sealer.into_inner()
    }

    fn opened(file: &[u8], caja: &CajaKey, device: Key) -> Result<Vec<Vec<u8>>, ExportFault> {
        let mut from = file;
        let head = read_head(&mut from)?;
        let mut opener = Opener::begin(from, head, caja, &device)?;
        let mut pages = Vec::new();
        while let Some(page) = opener.page()? {
            pages.push(page);
        }
        Ok(pages)
    }

    #[test]
    fn the_caja_reads_what_the_pc_sealed_and_nothing_stands_in_clear() {
        let file = sealed();
        assert_eq!(opened(&file, &caja(), Key([5; 32])).expect("opened"), PAGES);
        let head = read_head(&mut file.as_slice()).expect("a head");
        assert_eq!((head.device_id, head.items), (PC, 3));
        assert!(head.is_for(caja().public()) && !head.is_for(Key([0; 32])));
        assert!(!file.windows(5).any(|bytes| bytes == b"items"));
    }

    #[test]
    fn only_the_pc_makes_it_and_only_the_caja_opens_it() {
        let file = sealed();
        for (caja, device) in [(caja(), Key([4; 32])), (CajaKey::derive(&[8; 32]), Key([5; 32]))] {
            assert!(matches!(opened(&file, &caja, device), Err(ExportFault::NotGenuine)));
        }
    }

    #[test]
    fn no_bit_of_it_can_be_changed() {
        let file = sealed();
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(opened(&changed, &caja(), Key([5; 32])).is_err(), "byte {at}");
        }
    }

    #[test]
    fn no_end_of_it_can_be_cut_and_nothing_added() {
        let file = sealed();
        for length in 0..file.len() {
            let fault = opened(&file[..length], &caja(), Key([5; 32])).expect_err("cut");
            let expected = if length < BEGIN { "not an export" } else { "ends too early" };
            assert!(fault.to_string().contains(expected), "{length}: {fault}");
        }
        let longer = [file.as_slice(), b"x"].concat();
        assert!(matches!(opened(&longer, &caja(), Key([5; 32])), Err(ExportFault::NotGenuine)));
    }

    #[test]
    fn pages_keep_their_order_and_none_ends_the_file_early() {
        let file = sealed();
        let (head, pages) = file.split_at(HEAD + 32);
        let each = 1 + 4 + PAGES[0].len() + 16;
        let page = |at: usize| &pages[at * each..(at + 1) * each];
        for others in [vec![1, 0, 2], vec![0, 2], vec![2], vec![0, 0, 1, 2]] {
            let pages: Vec<&[u8]> = others.into_iter().map(page).collect();
            let changed = [head, &pages.concat()].concat();
            assert!(matches!(opened(&changed, &caja(), Key([5; 32])), Err(ExportFault::NotGenuine)));
        }
    }

    #[test]
    fn what_is_no_export_or_a_newer_one_is_told_apart() {
        let fault = |file: &[u8]| opened(file, &caja(), Key([5; 32])).expect_err("refused").to_string();
        assert_eq!(fault(b""), "not an export of an outbox");
        assert_eq!(fault(b"%PDF-1.7 and so on, much longer than a head"), "not an export of an outbox");
        let mut newer = sealed();
        newer[17] = 2;
        assert_eq!(fault(&newer), "an export of version 2, which is not known yet");
    }
}
