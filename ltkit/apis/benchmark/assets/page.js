document.querySelectorAll('table.sortable').forEach(function (table) {
  var heads = table.tHead.rows[0].cells;
  Array.prototype.forEach.call(heads, function (head, column) {
    head.tabIndex = 0;
    function sort() {
      var falling = head.getAttribute('aria-sort') !== 'descending';
      if (head.classList.contains('text') && !head.hasAttribute('aria-sort')) { falling = false; }
      Array.prototype.forEach.call(heads, function (other) { other.removeAttribute('aria-sort'); });
      head.setAttribute('aria-sort', falling ? 'descending' : 'ascending');
      var body = table.tBodies[0], rows = Array.prototype.slice.call(body.rows);
      function value(row) {
        var cell = row.cells[column], data = cell.dataset.value;
        return data === undefined ? cell.textContent.trim().toLowerCase() : data === '' ? null : Number(data);
      }
      rows.sort(function (one, two) {
        var a = value(one), b = value(two);
        if (a === null || b === null) { return (a === null) - (b === null); }
        return (a < b ? -1 : a > b ? 1 : 0) * (falling ? -1 : 1);
      });
      rows.forEach(function (row) { body.appendChild(row); });
    }
    head.addEventListener('click', sort);
    head.addEventListener('keydown', function (event) {
      if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); sort(); }
    });
  });
});
