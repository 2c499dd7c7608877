// SPDX-License-Identifier: MIT
// The table of candidates: sorted, filtered, and drawn only where it is in view, so that ten thousand rows open at once.
// What it shows is `page.view`; charts register with page.listen() to follow it.
const page = (function () {
  'use strict';
  const data = JSON.parse(document.getElementById('data').textContent);
  const total = data.score.length;
  const missing = (value) => value === null || value === undefined;

  function short(value, digits) {
    if (missing(value)) return '-';
    if (value === 0) return '0';
    const size = Math.abs(value);
    return size < 1e-4 || size >= 1e7 ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
  }
  // A column of scores lines up when no zero is dropped.
  const score_text = (value) => (missing(value) ? '-' : Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6 ? short(value, 5) : value.toPrecision(5));
  function seconds(value) {
    if (missing(value)) return '-';
    const units = [[60, 'min'], [1, 's'], [1e-3, 'ms'], [1e-6, 'us']];
    const [size, name] = units.find(([s]) => value >= s * 0.9995) || units[3];
    return short(value / size, 3) + ' ' + name;
  }

  // A parameter is a list of numbers, or of positions in its list of words.
  for (const p of data.parameters) {
    p.value = (i) => (p.words && !missing(p.data[i]) ? p.words[p.data[i]] : p.data[i]);
    // Of a drawn number six digits are shown, and all where six would make it whole; 1.0 keeps its point.
    const number = (v) => { const text = short(v, 6); return !p.real || /[.e]/.test(text) ? text : /[.e]/.test(String(v)) ? String(v) : String(v) + '.0'; };
    p.text = (i) => (missing(p.data[i]) ? (p.none || '') : p.words ? p.words[p.data[i]] : p.real ? number(p.data[i]) : String(p.data[i]));
  }
  const numeric = (name, list, text, down) => ({ name, value: (i) => list[i], sort: (i) => list[i], text: (i) => text(list[i]), down });
  const columns = [numeric('rank', data.rank, (v) => (missing(v) ? '-' : String(v)), false), numeric(data.metric, data.score, score_text, true),
    numeric('std', data.std, (v) => (v >= 1e-4 && v < 100 ? v.toPrecision(3) : short(v, 3)), false)];
  for (const other of data.others) columns.push(numeric(other.name, other.data, score_text, true));
  for (const p of data.parameters) columns.push({ name: p.name, value: p.value, sort: (i) => p.data[i], text: p.text, down: false, left: Boolean(p.words) && p.words.some((w) => w !== 'none' && Number.isNaN(Number(w))) });
  columns.push(numeric('fit time', data.fit, seconds, false));
  columns.push({ name: 'candidate', value: (i) => i, sort: (i) => i, text: (i) => String(i), down: false });
  if (Object.keys(data.failures).length) {
    const failure = (i) => data.failure_texts[data.failures[i]] || '';
    columns.push({ name: 'failure', value: failure, sort: (i) => failure(i) || null, text: failure, down: false, left: true });
  }

  // -- what is shown -------------------------------------------------------------------------------------------------
  const listeners = [];
  const brushes = new Map();  // of the chart: name -> test of a row
  let sorted = columns[0];
  let descending = false;
  const state = { data, columns, brushes, view: [], short, seconds, missing, listen: (f) => listeners.push(f), changed, hover: () => {} };

  const operators = {
    '=': (a, b) => a === b, '!=': (a, b) => a !== b, '<': (a, b) => a < b, '>': (a, b) => a > b, '<=': (a, b) => a <= b, '>=': (a, b) => a >= b,
  };
  // "max_depth=5" compares a column, a word is looked for in all of them.
  function test_of(word) {
    const parts = /^([^<>=!]+)(<=|>=|!=|=|<|>)(.+)$/.exec(word);
    const column = parts && columns.find((c) => c.name.toLowerCase() === parts[1].toLowerCase());
    if (!column) return (i) => columns.some((c) => c.text(i).toLowerCase().includes(word.toLowerCase()));
    const wanted = parts[3].toLowerCase();
    const compare = operators[parts[2]];
    return (i) => {
      const text = column.text(i).toLowerCase();
      const value = column.value(i);
      const number = typeof value === 'number' ? value : value === '' || missing(value) ? NaN : Number(value);
      if (text === wanted) return ['=', '<=', '>='].includes(parts[2]);  // as it is shown, though rounded
      if (Number.isNaN(number) || Number.isNaN(Number(wanted))) return parts[2] === '!=';
      return compare(number, Number(wanted));
    };
  }
  const filter = document.getElementById('filter');
  function changed() {
    const tests = filter.value.split(/\s+/).filter(Boolean).map(test_of).concat(Array.from(brushes.values()));
    const view = [];
    for (let i = 0; i < total; ++i) if (tests.every((t) => t(i))) view.push(i);
    const sign = descending ? -1 : 1;
    view.sort((a, b) => {
      const x = sorted.sort(a), y = sorted.sort(b);
      if (missing(x) || missing(y)) return missing(x) - missing(y) || a - b;  // at the end, whatever the direction
      return x === y ? a - b : (x < y ? -sign : sign);
    });
    state.view = view;
    const all = total.toLocaleString('en-US') + (total === 1 ? ' candidate' : ' candidates');
    document.getElementById('count').value = view.length === total ? all : view.length.toLocaleString('en-US') + ' of ' + all;
    box.scrollTop = 0;
    render();
    for (const listener of listeners) listener();
  }

  // -- the table ------------------------------------------------------------------------------------------------------
  const box = document.getElementById('rows');
  const row_height = 28, spare = 8;
  const make = (name, parent) => parent.appendChild(document.createElement(name));
  const table = make('table', box);
  const widths = make('colgroup', table);
  const head = make('tr', make('thead', table));
  const body = make('tbody', table);
  let all_widths = 0;
  for (const column of columns) {
    let longest = column.name.length + 2;
    for (let i = 0; i < total; ++i) longest = Math.max(longest, column.text(i).length);
    const width = Math.min(longest, column.name === 'failure' ? 60 : 26);
    all_widths += width;
    make('col', widths).style.width = 'calc(' + width + 'ch + 1.3rem)';
    const th = make('th', head);
    th.scope = 'col';
    if (column.left) th.className = 'left';
    const button = make('button', th);
    button.type = 'button';
    button.textContent = button.title = column.name;
    button.addEventListener('click', () => {
      descending = sorted === column ? !descending : column.down;
      sorted = column;
      mark_sorted();
      changed();
    });
  }
  table.style.width = 'calc(' + all_widths + 'ch + ' + 1.3 * columns.length + 'rem)';
  function mark_sorted() {
    columns.forEach((c, k) => {
      if (c === sorted) head.children[k].setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else head.children[k].removeAttribute('aria-sort');
    });
  }
  function gap(rows) {
    const td = make('td', make('tr', body));
    td.parentNode.className = 'gap';
    td.colSpan = columns.length;
    td.style.height = rows * row_height + 'px';
  }
  function render() {
    const first = Math.max(0, Math.floor(box.scrollTop / row_height) - spare);
    const last = Math.min(state.view.length, Math.ceil((box.scrollTop + Math.max(box.clientHeight, 430)) / row_height) + spare);
    body.textContent = '';
    if (first > 0) gap(first);
    for (let k = first; k < last; ++k) {
      const i = state.view[k];
      const tr = make('tr', body);
      tr.dataset.row = i;
      if (i === data.best) tr.className = 'best';
      for (const column of columns) {
        const td = make('td', tr);
        td.textContent = column.text(i);
        if (column.left) td.className = 'left';
        if (td.textContent.length > 24) td.title = td.textContent;
      }
    }
    if (last < state.view.length) gap(state.view.length - last);
  }
  let waiting = false;
  box.addEventListener('scroll', () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; render(); });
  });
  body.addEventListener('mouseover', (event) => {
    const tr = event.target.closest('tr[data-row]');
    state.hover(tr ? Number(tr.dataset.row) : null);
  });
  body.addEventListener('mouseleave', () => state.hover(null));
  filter.addEventListener('input', changed);
  document.getElementById('reset').addEventListener('click', () => {
    filter.value = '';
    brushes.clear();
    changed();
  });
  mark_sorted();
  return state;
})();
