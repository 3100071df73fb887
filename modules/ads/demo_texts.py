"""Texts of the demonstration's ads: invented, as people write them; one pair or more for each category and side."""

from typing import Final

from modules.ads.labels import OFFERS, SEEKS

TEXTS: Final[dict[tuple[str, str], tuple[tuple[str, str, str], ...]]] = {
    ("remplacement", SEEKS): (
        (
            "Cherche un remplaçant en {specialty} pour l’été",
            "Cabinet de groupe de trois médecins, secrétariat sur place le matin et à distance l’après-midi.\n"
            "25 à 30 actes par jour, du lundi au vendredi de 8 h 30 à 18 h 30, sans garde.\n\n"
            "Logement possible au-dessus du cabinet.",
            "Rétrocession de 80 %",
        ),
        (
            "Remplacement régulier, un jour par semaine",
            "Je cherche un confrère pour le jeudi, toute l’année hors vacances scolaires.\n"
            "Patientèle familiale, visites en EHPAD toutes les deux semaines, logiciel en ligne.",
            "Rétrocession à convenir",
        ),
        (
            "Remplacement pendant un congé de maternité",
            "Seize semaines, quatre jours par semaine. Passage de relais une semaine avant le départ.\n"
            "Cabinet de plain-pied, parking, gare à cinq minutes à pied.",
            "Rétrocession de 75 %, charges comprises",
        ),
    ),
    ("remplacement", OFFERS): (
        (
            "Remplaçant disponible en {specialty}",
            "Plusieurs années de remplacements en ville et en maison de santé.\n"
            "Je me déplace dans tout le département ; les visites et les samedis matin ne me font pas peur.",
            "À discuter",
        ),
        (
            "Disponible pour des remplacements courts",
            "De quelques jours à deux semaines, y compris à la dernière minute.\n"
            "À l’aise avec la plupart des logiciels.",
            "À discuter",
        ),
    ),
    ("collaboration", SEEKS): (
        (
            "Cherche un collaborateur libéral, deux à quatre jours",
            "La patientèle déborde et un bureau est libre : deux à quatre jours par semaine au choix, "
            "avec l’aide d’une assistante médicale.\n\nAssociation possible au bout d’un an.",
            "Redevance de 20 %",
        ),
    ),
    ("collaboration", OFFERS): (
        (
            "Cherche une collaboration à mi-temps",
            "Installée dans la région depuis peu, je cherche deux ou trois jours par semaine dans un cabinet de groupe "
            "qui travaille avec des infirmières et des sages-femmes.",
            "À discuter",
        ),
    ),
    ("association", SEEKS): (
        (
            "Maison de santé : cherche un associé en {specialty}",
            "Maison de santé pluriprofessionnelle ouverte en 2021 : cinq médecins, infirmière en pratique avancée, "
            "kinésithérapeutes. Réunions de concertation toutes les deux semaines.",
            "Parts de SCM, reprise du matériel en option",
        ),
    ),
    ("association", OFFERS): (
        (
            "Cherche à m’associer en {specialty}",
            "Douze ans d’exercice, dont huit en groupe. Je cherche un cabinet où partager les gardes, le secrétariat "
            "et les projets.",
            "À discuter",
        ),
    ),
    ("adjuvat", SEEKS): (
        (
            "Cherche un adjoint pour l’afflux de l’hiver",
            "Le conseil départemental a donné son accord pour un adjoint de novembre à mars.\n"
            "Deux salles d’examen, le titulaire est toujours présent.",
            "Salaire ou rétrocession, au choix",
        ),
    ),
    ("adjuvat", OFFERS): (
        (
            "Cherche un poste d’adjoint",
            "Fin d’internat, licence de remplacement. Disponible à plein temps, logement déjà trouvé.",
            "À discuter",
        ),
    ),
    ("assistanat", SEEKS): (
        (
            "Cherche un assistant pour épauler une activité soutenue",
            "Contrat d’assistant libéral de six mois renouvelable. Formation à l’échographie prise en charge.",
            "Rétrocession de 70 %",
        ),
    ),
    ("assistanat", OFFERS): (
        (
            "Cherche un poste d’assistant",
            "Interne en dernier semestre, je cherche un poste d’assistant à la sortie de l’internat, en ville de "
            "préférence.",
            "",
        ),
    ),
    ("succession", SEEKS): (
        (
            "Je cède mon cabinet de {specialty}",
            "Départ à la retraite à la fin de l’année. Patientèle fidèle, locaux de 90 m² aux normes d’accessibilité, "
            "bail transmissible.\n\nJe reste volontiers quelques mois pour vous présenter aux patients.",
            "Droit de présentation à discuter",
        ),
        (
            "Cession d’un cabinet avec salle de petite chirurgie",
            "Cabinet tenu depuis trente ans, deux salles, stationnement pour les patients, pharmacie en face.",
            "Matériel repris à sa valeur comptable",
        ),
    ),
    ("succession", OFFERS): (
        (
            "Cherche un cabinet à reprendre",
            "Couple de médecins, nous cherchons à reprendre un cabinet à deux, de préférence en petite ville et près "
            "d’une gare.",
            "À discuter",
        ),
    ),
}
REFUSALS: Final = (
    "Un numéro de téléphone est écrit dans la description : vos coordonnées sont montrées à part. Retirez-le, puis "
    "proposez de nouveau l’annonce.",
    "Le titre doit dire ce que vous cherchez. Relisez les règles de publication, puis proposez de nouveau l’annonce.",
    "",
)
