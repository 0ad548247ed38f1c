//! The chain, as pure functions: the hash of an act, the Merkle tree over a block's acts, the block and its signature.
//!
//! Every hash is SHA-256 and begins with a byte that says of what it is, and every value in it with its kind and its
//! length, so that no two different things have the same bytes.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::keys::{KeyFault, SigningKey};

/// A hash.
pub type Hash = [u8; 32];

const LEAF: u8 = 0;
const NODE: u8 = 1;
const BLOCK: u8 = 2;
const PLACES: u8 = 3;
/// What a signature is over, before the hash. No statement begins like this: they begin with `ey`.
const SIGNED: &[u8] = b"hanna audit block\0";
/// Of one leaf in a block's list.
const LEAF_BYTES: usize = 40;

/// One column, as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// Nothing.
    Null,
    /// A number; a moment in microseconds since 1970.
    Int(i64),
    /// A text. Bytes, because whoever tampers with a database is not bound to UTF-8.
    Text(Vec<u8>),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// An act as it stands in the audit, with what it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub id: i64,
    /// The word of its act.
    pub act: String,
    /// Its columns, in the order of the table.
    pub columns: Vec<Field>,
    /// The columns of what it refers to; none when that is not there.
    pub record: Option<Vec<Field>>,
}

impl Entry {
    /// The hash of everything there is.
    pub fn hash(&self) -> Hash {
        let mut hash = Sha256::new_with_prefix([LEAF]);
        hash.update(self.id.to_be_bytes());
        add_all(&mut hash, &self.columns);
        match &self.record {
            None => hash.update([0]),
            Some(record) => {
                hash.update([1]);
                add_all(&mut hash, record);
            }
        }
        hash.finalize().into()
    }
}

fn add_all(hash: &mut Sha256, fields: &[Field]) {
    add_length(hash, fields.len());
    for field in fields {
        match field {
            Field::Null => hash.update([0]),
            Field::Int(value) => {
                hash.update([1]);
                hash.update(value.to_be_bytes());
            }
            Field::Text(bytes) => add_bytes(hash, 2, bytes),
            Field::Bytes(bytes) => add_bytes(hash, 3, bytes),
        }
    }
}

fn add_bytes(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    add_length(hash, bytes.len());
    hash.update(bytes);
}

fn add_length(hash: &mut Sha256, length: usize) {
    hash.update(u64::try_from(length).unwrap_or(u64::MAX).to_be_bytes());
}

/// An act in a block's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// The act.
    pub id: i64,
    /// Its hash when it was sealed.
    pub hash: Hash,
}

/// The list of a block, as it is kept.
pub fn pack(leaves: &[Leaf]) -> Vec<u8> {
    leaves.iter().flat_map(|leaf| leaf.id.to_be_bytes().into_iter().chain(leaf.hash)).collect()
}

/// The list of a block; empty, which no block's is, when the bytes are none.
pub fn unpack(bytes: &[u8]) -> Vec<Leaf> {
    if !bytes.len().is_multiple_of(LEAF_BYTES) {
        return Vec::new();
    }
    let leaf = |bytes: &[u8]| {
        let (id, hash) = bytes.split_first_chunk()?;
        Some(Leaf { id: i64::from_be_bytes(*id), hash: hash.try_into().ok()? })
    };
    bytes.chunks_exact(LEAF_BYTES).filter_map(leaf).collect()
}

/// The root of the Merkle tree over the leaves. A node without a sibling moves up as it is.
fn root(leaves: &[Leaf]) -> Hash {
    let mut level: Vec<Hash> = leaves.iter().map(|leaf| leaf.hash).collect();
    while level.len() > 1 {
        let join = |pair: &[Hash]| match pair {
            [left, right] => {
                Sha256::new_with_prefix([NODE]).chain_update(left).chain_update(right).finalize().into()
            }
            alone => alone.first().copied().unwrap_or_default(),
        };
        level = level.chunks(2).map(join).collect();
    }
    level.first().copied().unwrap_or_default()
}

/// The hash of a list of places.
pub fn places(ids: &[i64]) -> Hash {
    let mut hash = Sha256::new_with_prefix([PLACES]);
    for id in ids {
        hash.update(id.to_be_bytes());
    }
    hash.finalize().into()
}

/// Where the chain ends: on what the next block is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the last block, 0 before the first.
    pub number: i64,
    /// Its hash.
    pub hash: Hash,
    /// Up to where it seals.
    pub until: i64,
}

impl Head {
    /// Where there is no block yet.
    pub const NONE: Self = Self { number: 0, hash: [0; 32], until: i64::MIN };

    /// On what to build: the furthest of the head that is kept, the last block's, and the one that was known.
    pub fn furthest(kept: Self, last: Self, known: Self) -> Self {
        let head = [last, known]
            .into_iter()
            .fold(kept, |head, other| if other.number > head.number { other } else { head });
        // Another chain of the same length is no other chain: what this process sealed itself it knows.
        if known.number == head.number { known } else { head }
    }

    /// As it is kept.
    pub fn pack(&self) -> Vec<u8> {
        let Self { number, hash, until } = self;
        [number.to_be_bytes().as_slice(), hash.as_slice(), until.to_be_bytes().as_slice()].concat()
    }

    /// The same read. One that cannot be read is none.
    pub fn unpack(bytes: &[u8]) -> Option<Self> {
        let (number, rest) = bytes.split_first_chunk()?;
        let (hash, until) = rest.split_first_chunk()?;
        let until = i64::from_be_bytes(until.try_into().ok()?);
        Some(Self { number: i64::from_be_bytes(*number), hash: *hash, until })
    }
}

/// A block. As wide as the database lets whoever tampers with it be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// From 1 on.
    pub number: i64,
    /// The hash of the block before.
    pub previous: Vec<u8>,
    /// When, in microseconds since 1970.
    pub sealed_us: i64,
    /// It seals the acts after this place …
    pub after: i64,
    /// … up to this one.
    pub until: i64,
    /// The root of the tree over its leaves.
    pub root: Vec<u8>,
    /// The key it is signed with.
    pub kid: String,
    /// The signature.
    pub signature: Vec<u8>,
    /// The acts; empty once all of them are purged.
    pub leaves: Vec<Leaf>,
    /// How many there were, once all of them are purged.
    pub purged: Option<i64>,
}

impl Block {
    /// Seals `entries`, all there are after the head and up to `until`, as the block after the head.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub fn seal(
        head: Head,
        entries: &[Entry],
        until: i64,
        now: Timestamp,
        key: &SigningKey,
    ) -> Result<Self, KeyFault> {
        let leaves: Vec<Leaf> =
            entries.iter().map(|entry| Leaf { id: entry.id, hash: entry.hash() }).collect();
        let mut block = Self {
            number: head.number + 1,
            previous: head.hash.to_vec(),
            sealed_us: now.as_microsecond(),
            after: head.until,
            until,
            root: root(&leaves).to_vec(),
            kid: key.kid.clone(),
            signature: Vec::new(),
            leaves,
            purged: None,
        };
        let pair = Ed25519KeyPair::from_pkcs8(key.pkcs8.expose()).map_err(KeyFault::of)?;
        block.signature = pair.sign(&block.signed()).as_ref().to_vec();
        Ok(block)
    }

    /// Its hash, which the next one names. The signature is over it, the leaves are in it by their root and their count.
    pub fn hash(&self) -> Hash {
        let mut hash = Sha256::new_with_prefix([BLOCK]);
        for number in [self.number, self.sealed_us, self.after, self.until] {
            hash.update(number.to_be_bytes());
        }
        hash.update(self.count().to_be_bytes());
        for (kind, bytes) in [(0, self.previous.as_slice()), (1, &self.root), (2, self.kid.as_bytes())] {
            add_bytes(&mut hash, kind, bytes);
        }
        hash.finalize().into()
    }

    /// How many acts it seals, those that are purged too.
    pub fn count(&self) -> u64 {
        match self.purged {
            None => u64::try_from(self.leaves.len()).unwrap_or(u64::MAX),
            Some(acts) => u64::try_from(acts).unwrap_or(u64::MAX),
        }
    }

    /// Where the chain ends with it.
    pub fn head(&self) -> Head {
        Head { number: self.number, hash: self.hash(), until: self.until }
    }

    fn signed(&self) -> Vec<u8> {
        [SIGNED, &self.hash()].concat()
    }

    /// Whether the key of these 32 bytes signed it, and its list, as long as it has one, is the one that was signed.
    pub fn is_genuine(&self, public_key: &[u8]) -> bool {
        let is_signed =
            UnparsedPublicKey::new(&ED25519, public_key).verify(&self.signed(), &self.signature).is_ok();
        let is_whole = match self.purged {
            None => self.root == root(&self.leaves),
            Some(_) => self.leaves.is_empty(),
        };
        is_signed && is_whole
    }
}
