// For browsers that know no modules: only the word that they are too old.
document.getElementById("old").hidden = false;
