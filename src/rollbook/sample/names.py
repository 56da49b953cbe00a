"""Invented people's names: common given and family names of several languages, in their own alphabets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """Names of one language; `weight` says how often it is met in the sample school."""

    weight: int
    given: tuple[str, ...]
    family: tuple[str, ...]


def _language(weight: int, given: str, family: str) -> Language:
    return Language(weight, tuple(given.split()), tuple(family.split()))


LANGUAGES: tuple[Language, ...] = (
    _language(
        26,
        "Olivia Amelia Isla Ava Mia Freya Grace Lily Emily Sophie Oliver George Noah Arthur Leo Oscar Henry Jack Theo Finley "
        "Ruby Alice Daisy Maisie Thomas William Isaac Lucas Samuel Hannah",
        "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Wright Walker White Hall Green Wood Clarke Hughes "
        "Edwards Turner O'Brien O'Connor Murphy Shaw Hill Cooper Ward Morris Moore King Lee",
    ),
    _language(
        22,
        "Μαρία Ελένη Κατερίνα Σοφία Άννα Ιωάννα Δήμητρα Χριστίνα Γεωργία Αλεξάνδρα Γιώργος Νίκος Δημήτρης Κώστας Γιάννης "
        "Παναγιώτης Βασίλης Χρήστος Ευάγγελος Σπύρος Θεόδωρος Ανδρέας Ζωή Ευτυχία",
        "Παπαδόπουλος Παπαδάκης Οικονόμου Γεωργίου Δημητρίου Νικολάου Ιωάννου Κωνσταντίνου Αθανασίου Βασιλείου Χατζής "
        "Αγγελόπουλος Παππάς Καραγιάννης Σταθόπουλος Μακρής Λάμπρου Αναγνώστου Ρούσσος Τσιρώνης",
    ),
    _language(
        14,
        "Emma Hannah Lena Mia Anna Lea Jürgen Jörg Björn Käthe Sören Maximilian Felix Paul Jonas Leon Finn Elias Anneliese "
        "Günther Greta Frieda Ida Emil Anton",
        "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf "
        "Schröder Neumann Schwarz Zimmermann Krüger Groß Weiß Köhler Jäger",
    ),
    _language(
        12,
        "Zofia Julia Maja Hanna Alicja Oliwia Łucja Małgorzata Agnieszka Jan Antoni Jakub Szymon Franciszek Łukasz Stanisław "
        "Wojciech Michał Paweł Grażyna Bożena Świętosława",
        "Nowak Kowalski Wiśniewska Wójcik Kowalczyk Kamińska Lewandowski Zielińska Szymański Woźniak Dąbrowski Kozłowska "
        "Mazur Krawczyk Piotrowska Grabowski Pawłowska Michalski Król Wróbel Żółć Źrebiec",
    ),
    _language(
        9,
        "Zeynep Elif Defne Azra Ayşe Emine İrem Çağla Yusuf Eymen Ömer Mustafa Göktuğ Kerem Çınar Ahmet Şule Gülşen Barış Işıl",
        "Yılmaz Kaya Demir Şahin Çelik Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara Koç Kurt "
        "Özkan Şimşek",
    ),
    _language(
        7,
        "محمد أحمد علي حسن حسين عمر يوسف إبراهيم خالد سعيد فاطمة مريم عائشة زينب ليلى نور سارة هدى أمل رنا",
        "الخطيب حداد نجار المصري الشامي قاسم منصور عثمان سليمان داود ناصر صالح حمدان عبدالله العلي درويش شريف كرم",
    ),
    _language(
        5,
        "小明 芳 伟 娜 静 丽 强 磊 洋 艳 勇 杰 娟 涛 明 超 秀英 霞 平 刚",
        "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭",
    ),
    _language(
        5,
        "Lucía Martina Sofía Paula Valeria Hugo Mateo Martín Álvaro Iñaki Íñigo Begoña Nuria José Ángel Adrián Zoe Noa",
        "García Fernández González Rodríguez López Martínez Sánchez Pérez Gómez Martín Jiménez Ruiz Hernández Díaz Núñez "
        "Muñoz Ibáñez Peña",
    ),
)

SUBJECTS: tuple[tuple[str, str], ...] = (
    ("Mathematics", "MAT"),
    ("English", "ENG"),
    ("Science", "SCI"),
    ("History", "HIS"),
    ("Geography", "GEO"),
    ("Art", "ART"),
    ("Physical Education", "PHE"),
)
"""What every group is taught, with the code its classes carry."""

ELECTIVES: tuple[tuple[str, str], ...] = (("Drama", "DRA"), ("Robotics", "ROB"), ("Latin", "LAT"), ("Music", "MUS"))
"""What is taught across groups, from grade 10 on."""

PLACES = (
    "Riverside Hillcrest Lakeview Northgate Southfield Eastbrook Westwood Oakwood Elmhurst Maplewood Ashford Birchwood Cedar "
    "Dovecote Fairview Greenfield Harbour Ivybridge Juniper Kingsmead"
).split()

STREAMS = ("general", "science", "languages")
