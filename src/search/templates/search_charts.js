// SPDX-License-Identifier: MIT
// The charts of a search: parallel coordinates, score against each parameter, spread over folds, times.
(function () {
  'use strict';
  const { data, missing, short, seconds } = page;
  const total = data.score.length;
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const font = (size, weight) => (weight || 400) + ' ' + size + 'px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

  // -- scales ---------------------------------------------------------------------------------------------------------
  function range_of(list) {
    let low = Infinity, high = -Infinity;
    for (const v of list) if (!missing(v)) { low = Math.min(low, v); high = Math.max(high, v); }
    return low <= high ? [low, high] : [0, 1];
  }
  // Positions in 0 .. 1. Words lie evenly; numbers linearly, or by their logarithm where they span much; what has no
  // number ("none") lies above them.
  function scale_of(name, list, words, none) {
    if (words) {
      const steps = Math.max(1, words.length - 1);
      const at = (v) => (words.length === 1 ? 0.5 : v / steps);
      return { name, words, at: (i) => (missing(list[i]) ? null : at(list[i])), ticks: words.map((w, k) => [at(k), w]) };
    }
    const [low, high] = range_of(list);
    const log = low > 0 && high / low > 50;
    const top = none ? 0.9 : 1;
    const f = log ? Math.log : (v) => v;
    const at = (v) => (high === low ? 0.5 : (f(v) - f(low)) / (f(high) - f(low))) * top;
    const ticks = [];
    for (let k = 0; k <= 4; ++k) {
      const v = log ? low * Math.pow(high / low, k / 4) : low + (high - low) * k / 4;
      if (high > low || k === 2) ticks.push([at(v), short(v, 3)]);
    }
    if (none) ticks.push([1, none]);
    return { name, at: (i) => (missing(list[i]) ? (none ? 1 : null) : at(list[i])), ticks };
  }
  const scales = data.parameters.map((p) => scale_of(p.name, p.data, p.words, p.none));
  const score = scale_of(data.metric, data.score, null, null);
  const axes = scales.concat([score]);

  // The colour of a score by its place among all scores, in 32 steps: grey to blue, and orange for the best tenth.
  const by_score = Array.from({ length: total }, (_, i) => i).filter((i) => !missing(data.score[i]));
  by_score.sort((a, b) => data.score[a] - data.score[b] || b - a);
  const place = new Float32Array(total);
  by_score.forEach((i, k) => {
    const before = k > 0 ? by_score[k - 1] : -1;
    place[i] = before >= 0 && data.score[before] === data.score[i] ? place[before] : k / Math.max(1, by_score.length - 1);
  });
  let ramp = [];
  function make_ramp() {
    const stops = ['--low', '--mid', '--high'].map((n) => css(n).match(/[0-9a-f]{2}/gi).map((h) => parseInt(h, 16)));
    ramp = Array.from({ length: 32 }, (_, k) => {
      const part = k < 29 ? 0 : 1, rest = part ? (k - 28) / 3 : k / 28;
      return 'rgb(' + stops[part].map((v, c) => Math.round(v + (stops[part + 1][c] - v) * rest)).join(',') + ')';
    });
  }
  const color_of = (i) => ramp[Math.round(place[i] * 31)];

  function prepare(canvas) {
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const ctx = canvas.getContext('2d');
    ctx.scale(ratio, ratio);
    return { ctx, width, height };
  }
  function fit_text(ctx, text, width) {
    if (ctx.measureText(text).width <= width) return text;
    let keep = text.length;
    while (keep > 1 && ctx.measureText(text.slice(0, keep) + '...').width > width) --keep;
    return text.slice(0, keep) + '...';
  }

  // -- parallel coordinates -------------------------------------------------------------------------------------------
  const parallel = document.getElementById('parallel');
  const [lines, overlay] = parallel.querySelectorAll('canvas');
  const area = { top: 34, bottom: 22, left: 60, right: 70 };
  const ranges = new Map();  // axis -> [low, high] kept, as positions
  const axis_x = (k, width) => (axes.length === 1 ? width / 2 : area.left + k * (width - area.left - area.right) / (axes.length - 1));
  const to_y = (t, height) => height - area.bottom - t * (height - area.top - area.bottom);
  function trace(ctx, i, width, height) {
    ctx.beginPath();
    let pen = false;
    axes.forEach((axis, k) => {
      let t = axis.at(i);
      if (t === null) { pen = false; return; }
      // Lines that share a word lie side by side, in the order of their scores.
      if (axis.words) t += (place[i] - 0.5) * Math.min(0.06, 0.4 / axis.words.length);
      if (pen) ctx.lineTo(axis_x(k, width), to_y(t, height));
      else ctx.moveTo(axis_x(k, width), to_y(t, height));
      pen = true;
    });
    ctx.stroke();
  }
  function draw_parallel() {
    const { ctx, width, height } = prepare(lines);
    const shown = new Uint8Array(total);
    for (const i of page.view) shown[i] = 1;
    const count = page.view.length;
    ctx.lineWidth = count > 2000 ? 0.7 : 1.2;
    ctx.globalAlpha = Math.max(0.1, Math.min(0.85, 150 / Math.max(1, count)));
    for (const i of by_score) {
      if (!shown[i]) continue;
      ctx.strokeStyle = color_of(i);
      trace(ctx, i, width, height);
    }
    ctx.globalAlpha = 1;
    const space = axes.length > 1 ? axis_x(1, width) - axis_x(0, width) : width;
    axes.forEach((axis, k) => {
      const x = axis_x(k, width);
      ctx.strokeStyle = css('--soft');
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(x, to_y(0, height));
      ctx.lineTo(x, to_y(1, height));
      ctx.stroke();
      ctx.fillStyle = css('--ink');
      ctx.font = font(13, 600);
      ctx.textAlign = k === 0 && axes.length > 1 ? 'left' : k === axes.length - 1 && axes.length > 1 ? 'right' : 'center';
      ctx.fillText(fit_text(ctx, axis.name, space - 8), k === 0 ? Math.max(4, x - 50) : k === axes.length - 1 ? Math.min(width - 4, x + 60) : x, 15);
      ctx.font = font(11.5);
      ctx.textAlign = 'left';
      const step = Math.ceil(axis.ticks.length / 16);
      axis.ticks.forEach(([t, text], n) => {
        if (n % step) return;
        const label = fit_text(ctx, text, Math.min(90, space - 16));
        const y = to_y(t, height);
        ctx.globalAlpha = 0.8;
        ctx.fillStyle = css('--card');
        ctx.fillRect(x + 4, y + 4, ctx.measureText(label).width + 4, 13);  // below the tick, where the lines of the best meet
        ctx.globalAlpha = 1;
        ctx.fillStyle = css('--ink');
        ctx.fillText(label, x + 6, y + 14);
        ctx.fillRect(x - 3, y - 0.5, 6, 1);
      });
      const kept = ranges.get(k);
      if (!kept) return;
      ctx.fillStyle = css('--accent');
      ctx.globalAlpha = 0.25;
      ctx.fillRect(x - 7, to_y(kept[1], height), 14, Math.max(3, to_y(kept[0], height) - to_y(kept[1], height)));
      ctx.globalAlpha = 1;
    });
  }
  function draw_overlay(row) {
    const { ctx, width, height } = prepare(overlay);
    for (const [i, line] of [[data.best, 2.5], [row, 3]]) {
      if (missing(i) || i < 0) continue;
      ctx.strokeStyle = css('--card');
      ctx.lineWidth = line + 2.5;
      trace(ctx, i, width, height);
      ctx.strokeStyle = i === data.best ? css('--mark') : css('--ink');
      ctx.lineWidth = line;
      trace(ctx, i, width, height);
    }
  }
  page.hover = draw_overlay;

  let drag = null;
  function point(event) {
    const rect = lines.getBoundingClientRect();
    const y = event.clientY - rect.top;
    const height = rect.height;
    return { x: event.clientX - rect.left, t: Math.min(1, Math.max(0, (height - area.bottom - y) / (height - area.top - area.bottom))) };
  }
  function axis_near(x) {
    const found = axes.findIndex((_, k) => Math.abs(axis_x(k, lines.clientWidth) - x) < 16);
    return found < 0 ? null : found;
  }
  function keep(k, from, to) {
    const span = [Math.min(from, to), Math.max(from, to)];
    const held = span[1] - span[0] >= 0.012;
    if (held) ranges.set(k, span); else ranges.delete(k);
    if (held) page.brushes.set(axes[k].name, (i) => { const t = axes[k].at(i); return t !== null && t >= span[0] && t <= span[1]; });
    else page.brushes.delete(axes[k].name);
  }
  lines.addEventListener('pointerdown', (event) => {
    const p = point(event), k = axis_near(p.x);
    if (k === null) return;
    drag = { k, from: p.t };
    lines.setPointerCapture(event.pointerId);
  });
  lines.addEventListener('pointermove', (event) => {
    const p = point(event);
    lines.style.cursor = drag || axis_near(p.x) !== null ? 'ns-resize' : '';
    if (!drag) return;
    keep(drag.k, drag.from, p.t);
    draw_parallel();
  });
  lines.addEventListener('pointerup', (event) => {
    if (!drag) return;
    keep(drag.k, drag.from, point(event).t);
    drag = null;
    page.changed();
  });

  // -- score against each parameter -----------------------------------------------------------------------------------
  const jitter = (i) => ((Math.imul(i + 1, 2654435761) >>> 16) & 0xFFFF) / 65536 - 0.5;
  function draw_multiple(canvas, scale) {
    const { ctx, width, height } = prepare(canvas);
    const left = 46, bottom = 22, top = 8, right = 10;
    const y = (t) => height - bottom - t * (height - bottom - top);
    const room = scale.words ? Math.min(60, (width - left - right) / (scale.words.length + 1)) : 14;
    const x = (t) => left + room / 2 + t * (width - left - right - room);
    ctx.font = font(11);
    ctx.textAlign = 'right';
    for (const [t, text] of score.ticks) {
      ctx.fillStyle = css('--grid');
      ctx.fillRect(left, y(t), width - left - right, 1);
      ctx.fillStyle = css('--soft');
      ctx.fillText(fit_text(ctx, text, left - 4), left - 5, y(t) + 4);
    }
    const radius = page.view.length > 1500 ? 1.2 : 2.2;
    ctx.globalAlpha = page.view.length > 1500 ? 0.4 : 0.75;
    const sums = new Map();
    for (const i of page.view) {
      const tx = scale.at(i), ty = score.at(i);
      if (tx === null || ty === null) continue;
      ctx.fillStyle = color_of(i);
      ctx.fillRect(x(tx) + (scale.words ? jitter(i) * room * 0.6 : 0) - radius, y(ty) - radius, 2 * radius, 2 * radius);
      const sum = sums.get(tx) || [0, 0];
      sums.set(tx, [sum[0] + ty, sum[1] + 1]);
    }
    ctx.globalAlpha = 1;
    ctx.fillStyle = css('--ink');
    if (sums.size <= 24) for (const [t, [sum, n]] of sums) ctx.fillRect(x(t) - room * 0.36, y(sum / n) - 1, room * 0.72, 2);
    ctx.fillStyle = css('--soft');
    ctx.textAlign = 'center';
    const step = Math.ceil(scale.ticks.length / 9);
    scale.ticks.forEach(([t, text], k) => { if (k % step === 0) ctx.fillText(fit_text(ctx, text, (width - left) / Math.min(9, scale.ticks.length) - 4), x(t), height - 6); });
  }
  document.getElementById('multiples').parentNode.hidden = scales.length === 0;
  const multiples = scales.slice(0, 40).map((scale) => {
    const figure = document.getElementById('multiples').appendChild(document.createElement('figure'));
    figure.appendChild(document.createElement('figcaption')).textContent = scale.name;
    const canvas = figure.appendChild(document.createElement('canvas'));
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', data.metric + ' against ' + scale.name);
    return () => draw_multiple(canvas, scale);
  });

  // -- spread over folds ----------------------------------------------------------------------------------------------
  function draw_spread() {
    const { ctx, width, height } = prepare(document.querySelector('#spread canvas'));
    const folds = new Map(data.folds.rows.map((row, k) => [row, data.folds.scores[k]]));
    const rows = by_score.slice().reverse().filter((i) => folds.has(i));
    rows.sort((a, b) => data.rank[a] - data.rank[b] || a - b);
    rows.length = Math.min(rows.length, 15);
    const [low, high] = range_of(rows.flatMap((i) => folds.get(i)));
    const left = 92, right = 14, top = 6, bottom = 24;
    const x = (v) => left + (high === low ? 0.5 : (v - low) / (high - low)) * (width - left - right);
    const line = (height - top - bottom) / Math.max(1, rows.length);
    ctx.font = font(11.5);
    for (let k = 0; k <= 4; ++k) {
      const v = low + (high - low) * k / 4;
      ctx.fillStyle = css('--grid');
      ctx.fillRect(x(v), top, 1, height - top - bottom);
      ctx.fillStyle = css('--soft');
      ctx.textAlign = k === 4 ? 'right' : 'center';
      ctx.fillText(short(v, 3), x(v), height - 8);
    }
    rows.forEach((i, k) => {
      const y = top + (k + 0.5) * line;
      ctx.fillStyle = css('--ink');
      ctx.textAlign = 'left';
      ctx.fillText('rank ' + data.rank[i] + ', #' + i, 4, y + 4);
      ctx.fillStyle = css('--mid');
      ctx.globalAlpha = 0.55;
      for (const v of folds.get(i)) {
        if (missing(v)) continue;
        ctx.beginPath();
        ctx.arc(x(v), y, Math.min(5, line / 3), 0, 2 * Math.PI);
        ctx.fill();
      }
      ctx.globalAlpha = 1;
      ctx.fillStyle = i === data.best ? css('--mark') : css('--ink');
      ctx.fillRect(x(data.score[i]) - 1.5, y - line * 0.38, 3, line * 0.76);
    });
  }

  // -- times ----------------------------------------------------------------------------------------------------------
  function show_times() {
    const box = document.getElementById('times');
    const sum = data.times.reduce((s, t) => s + t[1], 0);
    const stack = box.appendChild(document.createElement('div'));
    stack.className = 'stack';
    const legend = box.appendChild(document.createElement('ul'));
    legend.className = 'legend';
    data.times.forEach(([name, value], k) => {
      const background = k < 5 ? 'var(--s' + k + ')' : 'var(--soft)';
      const part = stack.appendChild(document.createElement('span'));
      part.style.cssText = 'flex:' + value / Math.max(sum, 1e-12) + ' 0 0;background:' + background;
      part.title = name + ' ' + seconds(value);
      const item = legend.appendChild(document.createElement('li'));
      item.appendChild(document.createElement('i')).style.background = background;
      for (const text of [name, seconds(value), (sum > 0 ? Math.round(100 * value / sum) : 0) + ' %']) item.appendChild(document.createElement('span')).textContent = text;
    });
  }

  // A page in a frame has no size before the frame is laid out; what is drawn then comes again with its size.
  const has_size = () => lines.clientWidth > 0;
  function draw() {
    if (!has_size()) return;
    draw_parallel();
    draw_overlay(null);
    for (const multiple of multiples) multiple();
  }
  function redraw() {
    make_ramp();
    draw();
    if (has_size()) draw_spread();
  }
  page.listen(() => {
    // "Show all" clears the brushes; the marks on the axes follow.
    for (const k of Array.from(ranges.keys())) if (!page.brushes.has(axes[k].name)) ranges.delete(k);
    draw();
  });
  let timer = 0;
  window.addEventListener('resize', () => { clearTimeout(timer); timer = setTimeout(redraw, 100); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  make_ramp();
  show_times();
  page.changed();
  if (has_size()) draw_spread();
})();
