"""The edits of a document that are about blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.graph import LinkSpec, Uid
from gui.canvas import block_edits
from gui.canvas.blocks import Blocks, blocks_of
from gui.canvas.clipboard import Fragment
from gui.canvas.state import DocumentState, Point
from gui.i18n import tr


class BlockEdits:
    """A part of `gui.document.Document`, which has the rest of what is declared here."""

    _state: DocumentState
    _used: set[Uid]

    def edit(self, new: DocumentState, text: str, merge: str = "") -> bool:
        """See `Document.edit`."""
        raise NotImplementedError

    def _name(self, uid: Uid) -> str:
        raise NotImplementedError

    @property
    def blocks(self) -> Blocks:
        """The blocks of the current state."""
        return blocks_of(self._state)

    def fold(self, uids: Iterable[Uid], name: str = "") -> Uid | None:
        """Fold layers and blocks into a new block; its uid, None where there is nothing to fold."""
        name = self.blocks.fresh_name(name or tr("Block"))
        new, uid = block_edits.folded_up(self._state, uids, name)
        self.edit(new, tr("Fold into block"))
        return uid

    def set_folded(self, uid: Uid, folded: bool) -> bool:
        """Fold a block, or unfold it where it lies; what is around gives way."""
        text = tr("Fold {name}") if folded else tr("Unfold {name}")
        new = block_edits.with_folded(self._state, uid, folded)
        return self.edit(new, text.format(name=self._name(uid)))

    def unfold_to(self, uid: Uid) -> bool:
        """Open every block around a layer, so that it can be seen."""
        return self.edit(block_edits.unfolded_to(self._state, uid), tr("Unfold"))

    def insert_block(
        self, piece: Fragment, at: Point | None, after: Uid | None = None, link: LinkSpec | None = None
    ) -> Uid:
        """Add a fresh copy of a kept block, its card at `at`, in a `link` or behind `after`; its uid."""
        new, uid = block_edits.inserted(self._state, piece, self._used, at, after, link)
        self.edit(new, tr("Add {layer}").format(layer=blocks_of(new)[uid].name))
        return uid

    def block_into_link(self, uid: Uid, link: LinkSpec, moved: Mapping[Uid, Point]) -> bool:
        """Put a block that is linked to nothing into a link, its layers where `moved` says."""
        layers = {u: p for u, p in moved.items() if u not in self.blocks}
        new = block_edits.into_link(self._state.with_positions(layers), uid, link)
        return self.edit(new, tr("Insert {name}").format(name=self._name(uid)))

    def dissolve(self, uids: Iterable[Uid]) -> bool:
        """Take the grouping away; the layers stay."""
        return self.edit(block_edits.dissolved(self._state, uids), tr("Dissolve block"))

    def take_out(self, uids: Iterable[Uid]) -> bool:
        """Let layers leave the block they lie in."""
        return self.edit(block_edits.taken_out(self._state, uids), tr("Take out of the block"))
