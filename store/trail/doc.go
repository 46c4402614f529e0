// Package trail is the arithmetic of the audit trail: what a record commits to,
// the Merkle tree over all records (RFC 6962, section 2.1), and how a group of
// records is packed into one row. It knows no database and does no I/O; package
// store writes what is computed here in the transaction of the effects.
//
// # What the tree holds
//
// A record is one JSON event. The tree holds its entry:
//
//	commitment = SHA-256("pointgate-record-v1\n" || nonce || body)
//	entry      = SHA-256(index || commitment)
//	leaf       = SHA-256(0x00 || entry)
//
// with a nonce of 32 random bytes for each record, and the index as 8 bytes, the
// highest first. Who has body and nonce can check the entry; who has the entry
// alone learns nothing, not even by guessing bodies. So a person's bodies can be
// erased with their nonces, and the tree, its checkpoints and its proofs still
// hold.
//
// # What others see of it
//
// A [Checkpoint] is the tree at one size, signed; a [Proof] that a record is in
// it; a [Tile] the part of the tree that one resource holds. All three are in the
// forms of C2SP: tlog-checkpoint with cosignature/v1, tlog-proof, tlog-tiles.
//
// # What it refuses
//
// To keep a tree of its own shape: hashes are those of
// golang.org/x/mod/sumdb/tlog, so that every reader of C2SP logs can follow.
package trail
