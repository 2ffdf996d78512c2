"use strict";
// SPDX-License-Identifier: GPL-2.0
// Says of the cell that one points at, or comes to by the arrow keys, what its title says.
(() => {
	const svg = document.querySelector("svg");
	const tip = document.getElementById("tip");
	const cells = [...svg.querySelectorAll(".c")];
	const columns = Number(svg.dataset.columns);
	let at = -1;

	for (const cell of cells) {
		const title = cell.querySelector("title");
		cell.setAttribute("aria-label", title.textContent);
		title.remove();
	}

	function show(index) {
		if (at >= 0)
			cells[at].classList.remove("on");
		at = index;
		tip.hidden = at < 0;
		if (at < 0)
			return;
		const cell = cells[at];
		cell.classList.add("on");
		// textContent: a name is never markup.
		tip.textContent = cell.getAttribute("aria-label");
		const box = cell.getBoundingClientRect();
		const right = document.documentElement.clientWidth - tip.offsetWidth - 8;
		const bottom = document.documentElement.clientHeight - tip.offsetHeight - 8;
		const below = box.bottom + 8;
		tip.style.left = Math.max(8, Math.min(box.left, right)) + "px";
		tip.style.top = (below <= bottom ? below : Math.max(8, box.top - tip.offsetHeight - 8)) + "px";
	}

	svg.addEventListener("mouseover", event => show(cells.indexOf(event.target)));
	svg.addEventListener("mouseleave", () => show(-1));
	svg.addEventListener("blur", () => show(-1));
	svg.addEventListener("keydown", event => {
		const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
		if (event.key === "Escape")
			show(-1);
		if (!step)
			return;
		event.preventDefault();
		const next = at < 0 ? 0 : at + step;
		if (next >= 0 && next < cells.length)
			show(next);
	});
})();
