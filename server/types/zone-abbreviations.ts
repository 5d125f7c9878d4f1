/*
 * What the zones of tzdata are called, for the date styles that print a name instead of an offset (SQL, Postgres, German). Intl
 * has offsets but not these names. Each entry: names with their offsets in seconds east, and the zones they hold for. Where
 * tzdata used several names for one offset since 1972 it is the last; zones and offsets that are missing have no letters in
 * tzdata and are called by their offset (`+03`).
 */
const NAMES = `
CET+3600 CEST+7200 = Africa/Tunis Arctic/Longyearbyen Atlantic/Jan_Mayen CET Europe/Amsterdam Europe/Andorra
  Europe/Belgrade Europe/Berlin Europe/Bratislava Europe/Brussels Europe/Budapest
  Europe/Busingen Europe/Copenhagen Europe/Gibraltar Europe/Ljubljana Europe/Luxembourg
  Europe/Madrid Europe/Malta Europe/Monaco Europe/Oslo Europe/Paris Europe/Podgorica
  Europe/Prague Europe/Rome Europe/San_Marino Europe/Sarajevo Europe/Skopje
  Europe/Stockholm Europe/Tirane Europe/Vaduz Europe/Vatican Europe/Vienna Europe/Warsaw
  Europe/Zagreb Europe/Zurich Poland
GMT+0 = Africa/Abidjan Africa/Accra Africa/Bamako Africa/Banjul Africa/Bissau Africa/Conakry
  Africa/Dakar Africa/Freetown Africa/Lome Africa/Nouakchott Africa/Ouagadougou
  Africa/Timbuktu America/Danmarkshavn Atlantic/Reykjavik Atlantic/St_Helena Etc/GMT
  Etc/GMT+0 Etc/GMT-0 Etc/GMT0 Etc/Greenwich GMT GMT+0 GMT-0 GMT0 Greenwich Iceland
CST-21600 CDT-18000 = America/Belize America/Chicago America/Costa_Rica America/El_Salvador America/Guatemala
  America/Indiana/Knox America/Indiana/Tell_City America/Knox_IN America/Managua
  America/Matamoros America/Menominee America/Merida America/Mexico_City America/Monterrey
  America/Rainy_River America/Rankin_Inlet America/Resolute America/Tegucigalpa
  America/Winnipeg CST6CDT Canada/Central Mexico/General US/Central US/Indiana-Starke
EST-18000 EDT-14400 = America/Detroit America/Fort_Wayne America/Grand_Turk America/Indiana/Indianapolis
  America/Indiana/Marengo America/Indiana/Vevay America/Indianapolis America/Jamaica
  America/Kentucky/Louisville America/Louisville America/Montreal America/Nassau
  America/New_York America/Nipigon America/Port-au-Prince America/Thunder_Bay
  America/Toronto Canada/Eastern EST5EDT Jamaica US/East-Indiana US/Eastern US/Michigan
AST-14400 = America/Anguilla America/Antigua America/Aruba America/Blanc-Sablon America/Curacao
  America/Dominica America/Grenada America/Guadeloupe America/Kralendijk
  America/Lower_Princes America/Marigot America/Miquelon America/Montserrat
  America/Port_of_Spain America/Puerto_Rico America/St_Barthelemy America/St_Kitts
  America/St_Lucia America/St_Thomas America/St_Vincent America/Tortola America/Virgin
EET+7200 EEST+10800 = Africa/Cairo Asia/Amman Asia/Beirut Asia/Damascus Asia/Famagusta Asia/Gaza Asia/Hebron
  Asia/Istanbul Asia/Nicosia EET Egypt Europe/Athens Europe/Bucharest Europe/Helsinki
  Europe/Istanbul Europe/Mariehamn Europe/Nicosia Europe/Sofia Turkey
AEST+36000 AEDT+39600 = Antarctica/Macquarie Australia/ACT Australia/Brisbane Australia/Canberra
  Australia/Currie Australia/Hobart Australia/Lindeman Australia/Melbourne Australia/NSW
  Australia/Queensland Australia/Sydney Australia/Tasmania Australia/Victoria
MST-25200 MDT-21600 = America/Boise America/Denver America/Edmonton America/Hermosillo America/Mazatlan
  America/Shiprock America/Yellowknife Canada/Mountain MST7MDT Mexico/BajaSur Navajo
  US/Mountain
EAT+10800 = Africa/Addis_Ababa Africa/Asmara Africa/Asmera Africa/Dar_es_Salaam Africa/Djibouti
  Africa/Kampala Africa/Mogadishu Africa/Nairobi Indian/Antananarivo Indian/Comoro
  Indian/Mayotte
WAT+3600 = Africa/Bangui Africa/Brazzaville Africa/Douala Africa/Kinshasa Africa/Lagos
  Africa/Libreville Africa/Luanda Africa/Malabo Africa/Niamey Africa/Porto-Novo
EET+7200 EEST+10800 MSD+14400 = Europe/Chisinau Europe/Kaliningrad Europe/Kiev Europe/Kyiv Europe/Minsk Europe/Riga
  Europe/Tallinn Europe/Tiraspol Europe/Uzhgorod Europe/Zaporozhye
CST+28800 CDT+32400 = Asia/Chongqing Asia/Chungking Asia/Harbin Asia/Macao Asia/Macau Asia/Shanghai
  Asia/Taipei PRC ROC
PST-28800 PDT-25200 = America/Ensenada America/Los_Angeles America/Santa_Isabel America/Tijuana
  America/Vancouver Canada/Pacific Mexico/BajaNorte PST8PDT US/Pacific
CAT+7200 = Africa/Blantyre Africa/Bujumbura Africa/Gaborone Africa/Harare Africa/Kigali
  Africa/Lubumbashi Africa/Lusaka Africa/Maputo
AST-14400 ADT-10800 = America/Barbados America/Glace_Bay America/Halifax America/Martinique America/Moncton
  America/Thule Atlantic/Bermuda Canada/Atlantic
GMT+0 BST+3600 = Europe/Belfast Europe/Guernsey Europe/Isle_of_Man Europe/Jersey Europe/London GB GB-Eire
CST-21600 EST-18000 EDT-14400 = America/Cancun America/Indiana/Petersburg America/Indiana/Vincennes
  America/Indiana/Winamac America/Iqaluit America/Kentucky/Monticello America/Pangnirtung
MST-25200 CST-21600 CDT-18000 = America/Bahia_Banderas America/Chihuahua America/North_Dakota/Beulah
  America/North_Dakota/Center America/North_Dakota/New_Salem America/Ojinaga
WET+0 WEST+3600 = Atlantic/Azores Atlantic/Canary Atlantic/Faeroe Atlantic/Faroe Atlantic/Madeira WET
EST-18000 = America/Atikokan America/Cayman America/Coral_Harbour America/Panama EST
ACST+34200 ACDT+37800 = Australia/Adelaide Australia/Broken_Hill Australia/South Australia/Yancowinna
NZST+43200 NZDT+46800 = Antarctica/McMurdo Antarctica/South_Pole NZ Pacific/Auckland
PST-28800 MST-25200 = America/Dawson_Creek America/Fort_Nelson America/Whitehorse Canada/Yukon
SST-39600 = Pacific/Midway Pacific/Pago_Pago Pacific/Samoa US/Samoa
HST-36000 = HST Pacific/Honolulu Pacific/Johnston US/Hawaii
MST-25200 = America/Creston America/Phoenix MST US/Arizona
EET+7200 MSK+10800 MSK+14400 = Europe/Moscow Europe/Simferopol W-SU
BST-39600 HST-36000 HDT-32400 = America/Adak America/Atka US/Aleutian
SAST+7200 = Africa/Johannesburg Africa/Maseru Africa/Mbabane
IST+7200 IDT+10800 = Asia/Jerusalem Asia/Tel_Aviv Israel
AKST-32400 AKDT-28800 PDT-25200 = America/Juneau America/Metlakatla America/Sitka
CET+3600 EET+7200 = Africa/Tripoli Libya
AEST+36000 = Australia/LHI Australia/Lord_Howe
AHST-36000 AKST-32400 AKDT-28800 = America/Anchorage US/Alaska
AWST+28800 AWDT+32400 = Australia/Perth Australia/West
CAT+7200 EAT+10800 = Africa/Juba Africa/Khartoum
ACST+34200 = Australia/Darwin Australia/North
CST-18000 CDT-14400 = America/Havana Cuba
CST-21600 = America/Regina Canada/Saskatchewan
ChST+36000 GDT+39600 = Pacific/Guam Pacific/Saipan
GMT+0 IST+3600 = Eire Europe/Dublin
HKT+28800 HKST+32400 = Asia/Hong_Kong Hongkong
IST+19800 = Asia/Calcutta Asia/Kolkata
JST+32400 = Asia/Tokyo Japan
KST+32400 KDT+36000 = Asia/Seoul ROK
MSK+10800 MSK+14400 = Europe/Kirov Europe/Volgograd
MST-25200 MDT-21600 CDT-18000 = America/Cambridge_Bay America/Ciudad_Juarez
NST-12600 NDT-9000 NDDT-5400 = America/St_Johns Canada/Newfoundland
WET+0 CET+3600 CEST+7200 = Africa/Algiers Africa/Ceuta
WET+0 WEST+3600 CEST+7200 = Europe/Lisbon Portugal
WITA+28800 = Asia/Makassar Asia/Ujung_Pandang
PKT+18000 PKST+21600 = Asia/Karachi
KST+30600 KST+32400 = Asia/Pyongyang
PST-28800 MST-25200 MDT-21600 = America/Inuvik
GMT+0 WAT+3600 = Africa/Sao_Tome
PST+28800 PDT+32400 = Asia/Manila
EST-18000 AST-14400 = America/Santo_Domingo
CET+3600 EET+7200 EEST+10800 MSD+14400 = Europe/Vilnius
BST-39600 BDT-36000 AKST-32400 AKDT-28800 = America/Nome
AST-14400 ADT-10800 ADDT-7200 = America/Goose_Bay
WAT+3600 CAT+7200 = Africa/Windhoek
WAT+3600 WAST+7200 = Africa/Ndjamena
WIT+32400 = Asia/Jayapura
AKST-32400 AKDT-28800 = America/Yakutat
YST-32400 PST-28800 MST-25200 = America/Dawson
MST-25200 CST-21600 = America/Swift_Current
MMT-2670 GMT+0 = Africa/Monrovia
WIB+25200 = Asia/Jakarta
WIB+25200 WITA+28800 = Asia/Pontianak
MET+3600 MEST+7200 = MET
`

const namesByZone: ReadonlyMap<string, ReadonlyMap<number, string>> = new Map(
  NAMES.trim()
    .replaceAll('\n  ', ' ')
    .split('\n')
    .flatMap((line) => {
      const [names = '', zones = ''] = line.split(' = ')
      const byOffset = new Map(names.split(' ').map(nameAndOffset))
      return zones.split(' ').map((zone) => [zone.toLowerCase(), byOffset] as const)
    }),
)

function nameAndOffset(entry: string): [number, string] {
  const [, name = '', offset = ''] = /^([A-Za-z]+)([+-]\d+)$/.exec(entry) ?? []
  return [Number(offset), name]
}

/** The letters of a zone at an offset, or undefined where tzdata has none: the offset itself is the name then. */
export function findZoneAbbreviation(zone: string, offsetSeconds: number): string | undefined {
  // What is not counted in whole minutes is local mean time; before 1950 a few cities had a name of their own for it.
  if (offsetSeconds % 60 !== 0) return 'LMT'
  return namesByZone.get(zone.toLowerCase())?.get(offsetSeconds)
}
