/* Colours the shapes of a report by the measure that is chosen, and says what a shape holds when it is pointed at. */
function reportMap(map, layer, config) {
  "use strict";
  map.attributionControl.setPrefix("Leaflet");
  map.attributionControl.addAttribution(config.attribution);
  L.control.zoom({ zoomInTitle: "Agrandir", zoomOutTitle: "Réduire" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);

  var measure = 0;

  function style(feature) {
    var rank = feature.properties.classes[measure];
    var fill = rank < 0 ? config.unknown : config.fills[measure][rank];
    // Of a whole country, borders would hide what they surround: each shape is edged with its own colour.
    return {
      color: config.dense ? fill : "#5d6d6a",
      weight: config.dense ? 0.8 : 0.6,
      opacity: 1,
      fill: true,
      fillColor: fill,
      fillOpacity: config.tiles ? 0.75 : 1,
    };
  }

  function paint(chosen) {
    measure = chosen;
    layer.setStyle(style);
    document.querySelectorAll("[data-legend]").forEach(function (legend) {
      legend.hidden = legend.dataset.legend !== String(measure);
    });
  }

  function sheet(shape) {
    var properties = shape.feature.properties;
    var box = document.createElement("div");
    var name = document.createElement("strong");
    name.textContent = properties.name;
    box.append(name);
    var list = document.createElement("dl");
    config.fields.forEach(function (label, index) {
      if (properties.fields[index] === "") {
        return;
      }
      var term = document.createElement("dt");
      term.textContent = label;
      var value = document.createElement("dd");
      value.textContent = properties.fields[index];
      list.append(term, value);
    });
    box.append(list);
    return box;
  }

  layer.bindTooltip(sheet, { sticky: true, className: "sheet" });
  layer.bindPopup(sheet);
  layer.on("mouseover", function (event) {
    event.propagatedFrom.setStyle({ weight: 2.5, color: "#15211f" });
    event.propagatedFrom.bringToFront();
  });
  layer.on("mouseout", function (event) {
    event.propagatedFrom.setStyle(style(event.propagatedFrom.feature));
  });
  document.querySelectorAll("[data-fill]").forEach(function (item) {
    item.style.backgroundColor = item.dataset.fill;
    item.style.color = item.dataset.ink;
  });
  document.querySelectorAll('input[name="measure"]').forEach(function (choice) {
    choice.addEventListener("change", function () {
      paint(Number(choice.value));
    });
  });
  paint(0);
  map.fitBounds(config.bounds, { padding: [12, 12], animate: false });
}
